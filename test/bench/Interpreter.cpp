//===- test/bench/Interpreter.cpp - how fast programs are read and run ----===//
//
// The published interpreter needs 5.3 s for the Dyck-2 checker and 2.5 s for
// the histogram on 200 tokens. The generated programs are large in the ways
// that programs are: enormous expressions with repeated parts, dictionaries of
// s-ops, long chains, deep nesting.
//
//===----------------------------------------------------------------------===//

#include "ir/Interpreter.h"
#include "frontend/Frontend.h"
#include "test/bench/Programs.h"
#include "llvm/Support/MemoryBuffer.h"
#include <benchmark/benchmark.h>

using namespace rasp;

namespace {
/// A program that has been read.
struct Loaded {
  llvm::SourceMgr sources;
  ir::Diagnostics diags{sources};
  ir::Program program;
  const ir::Node *output = nullptr;

  explicit Loaded(llvm::StringRef text) {
    unsigned buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "bench.rasp"),
        llvm::SMLoc());
    frontend::Evaluation evaluation =
        frontend::evaluateProgram(buffer, program, diags);
    if (const frontend::Binding *last = evaluation.lastSop())
      output = last->node;
    if (diags.hasErrors() || !output) {
      diags.printAll(llvm::errs());
      exit(1);
    }
  }
};
} // namespace

static std::vector<ir::Value> tokens(llvm::StringRef alphabet, size_t length) {
  std::vector<ir::Value> input;
  for (size_t i = 0; i < length; ++i)
    input.push_back(
        ir::Value::string(alphabet.substr(i * i % alphabet.size(), 1)));
  return input;
}

static void run(benchmark::State &state, const Loaded &loaded,
                llvm::StringRef alphabet) {
  ir::Interpreter interpreter(loaded.output);
  ir::Interpreter::State buffers(interpreter);
  std::vector<ir::Value> input =
      tokens(alphabet, static_cast<size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(interpreter.run(input, buffers).data());
}

static void runHistogram(benchmark::State &state) {
  run(state, Loaded(bench::exampleText("hist")), "abcdefgh");
}
static void runDyck2(benchmark::State &state) {
  run(state, Loaded(bench::exampleText("dyck2_ptf")), "(){}");
}
static void runReverse(benchmark::State &state) {
  run(state, Loaded(bench::exampleText("reverse")), "dehlorw");
}
BENCHMARK(runHistogram)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(runDyck2)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(runReverse)->Arg(5)->Arg(200);

/// Sums of selector widths, `size` bytes in one expression: a few hundred
/// different selects, each written many times.
static std::string repeatedSelects(size_t size) {
  std::string text = "x = 0";
  for (unsigned i = 0; text.size() < size; ++i)
    text += " + selector_width(select(indices + " + std::to_string(i % 300) +
            ", tokens == \"a\", <))";
  return text + ";\n";
}

static std::string dictionaries(unsigned entries) {
  return "d = {i : indices + i for i in range(" + std::to_string(entries) +
         ")};\nx = 0;\nfor k in d { x = x + d[k] * k; }\n";
}

static std::string chain(unsigned length) {
  return "x = indices;\nfor i in range(" + std::to_string(length) +
         ") { x = x + 1; }\n";
}

static std::string nested(unsigned depth) {
  return "x = " + std::string(depth, '(') + "indices" +
         std::string(depth, ')') + ";\n";
}

/// Text to graph, and one run on 20 tokens.
static void readAndRun(benchmark::State &state, const std::string &text) {
  std::vector<ir::Value> input = tokens("abc", 20);
  for (auto _ : state) {
    Loaded loaded(text);
    ir::Interpreter interpreter(loaded.output);
    ir::Interpreter::State buffers(interpreter);
    benchmark::DoNotOptimize(interpreter.run(input, buffers).data());
  }
}
BENCHMARK_CAPTURE(readAndRun, repeated_selects_100KB, repeatedSelects(100000))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(readAndRun, dictionary_of_1000, dictionaries(1000))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(readAndRun, chain_of_100000, chain(100000))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(readAndRun, nested_10000, nested(10000))
    ->Unit(benchmark::kMillisecond);
