//===- test/bench/main.cpp - all benchmarks -------------------------------===//

#include "frontend/LargeStack.h"
#include <benchmark/benchmark.h>

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  rasp::frontend::runWithLargeStack(
      [] { benchmark::RunSpecifiedBenchmarks(); });
  return 0;
}
