//===- test/bench/Constructions.cpp - how long constructions take ---------===//
//
// Lowering of programs that consist of one construction each, and the parts
// that many constructions share: profiles and tables.
//
//===----------------------------------------------------------------------===//

#include "backend/FunctionTable.h"
#include "backend/Lowering.h"
#include "backend/Profile.h"
#include "test/bench/Programs.h"
#include <benchmark/benchmark.h>

using namespace rasp;
using benchmark::State;

//===----------------------------------------------------------------------===//
// Whole constructions
//===----------------------------------------------------------------------===//

static const struct {
  const char *name, *program;
} constructions[] = {
    {"key_classes", "x = selector_width(select(tokens, tokens, ==));"},
    {"order_table", "x = selector_width(select(tokens, tokens, <));"},
    {"scalar_equality",
     "x = aggregate(select(indices, indices - 2, ==), tokens, \"-\");"},
    {"never_empty",
     "x = aggregate(select(indices, length - 1 - indices, ==), tokens);"},
    {"penalties", "hist = selector_width(select(tokens, tokens, ==));"
                  "x = selector_width(select(hist, hist, ==));"},
    {"product_of_operands",
     "x = aggregate(select(tokens, \"a\", ==) or select(indices, indices, <),"
     " indicator(tokens == \"b\"));"},
    {"inclusion_exclusion", "x = selector_width(select(tokens, tokens, ==) or"
                            " select(indices, indices, <));"},
    {"width_polygon", "x = length % 3;"},
    {"mean_polygon", "x = average(indicator(tokens == \"a\"));"
                     "x = x if x < 0.5 else 1 - x;"},
    {"mean_steps", "x = average(indicator(tokens == \"a\")) > 0.3;"},
    {"packing", "a = selector_width(select(tokens, \"a\", ==));"
                "b = selector_width(select(tokens, \"b\", ==));"
                "x = a > b;"},
    {"boxes", "x = tokens + \"-\" if indices % 3 == 1 else tokens;"},
    {"gated_profile", "x = length if tokens == \"a\" else 0 - length;"},
    {"sum_cells", "a = selector_width(select(tokens, \"a\", ==));"
                  "b = selector_width(select(tokens, \"b\", ==));"
                  "x = a < b or tokens == \"c\";"},
    {"joined_cells", "a = selector_width(select(tokens, \"a\", ==));"
                     "b = selector_width(select(tokens, \"b\", ==));"
                     "m = average(indicator(tokens == \"c\"));"
                     "x = m > 0.5 if a == b else False;"},
};

static void lower(State &state, const char *program) {
  std::string text = std::string("#@ vocab: a..h\n") + program + "\n";
  std::unique_ptr<Compilation> compilation =
      bench::compile(text, static_cast<unsigned>(state.range(0)));
  for (auto _ : state) {
    backend::Lowering lowering(*compilation->values, *compilation->names, {},
                               compilation->diags);
    benchmark::DoNotOptimize(lowering.run(compilation->compiled));
  }
}

static const bool registered = [] {
  for (const auto &construction : constructions)
    benchmark::RegisterBenchmark(
        (llvm::Twine("construction/") + construction.name).str().c_str(),
        [=](State &state) { lower(state, construction.program); })
        ->Arg(10)
        ->Arg(40)
        ->Unit(benchmark::kMicrosecond);
  return true;
}();

//===----------------------------------------------------------------------===//
// What they share
//===----------------------------------------------------------------------===//

static std::vector<backend::ProfilePoint> squares(unsigned count) {
  std::vector<backend::ProfilePoint> points;
  for (unsigned i = 0; i < count; ++i)
    points.push_back({double(i), double(i) * i});
  return points;
}

static void profileOfPolygon(State &state) {
  auto points = squares(static_cast<unsigned>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(backend::makeProfile(points, {}, true));
}

static void profileOfWidth(State &state) {
  std::vector<double> values;
  for (int64_t i = 0; i < state.range(0); ++i)
    values.push_back(double(i * i % 7));
  for (auto _ : state)
    benchmark::DoNotOptimize(
        backend::makeWidthProfile(values, 0, 0x1p-22, 0x1p-24));
}

/// Two classes of values, found among as many as there are.
static void mergeOfValues(State &state) {
  auto size = static_cast<uint32_t>(state.range(0));
  backend::FunctionTable table{{nullptr, nullptr}, {size, size}, {}};
  for (uint32_t i = 0; i < size * size; ++i)
    table.entries.push_back((i / size < size / 2) == (i % size < size / 2));
  for (auto _ : state) {
    backend::FunctionTable own = table;
    benchmark::DoNotOptimize(backend::mergeValues(own, 0));
  }
}

BENCHMARK(profileOfPolygon)->RangeMultiplier(4)->Range(16, 1024);
BENCHMARK(profileOfWidth)->RangeMultiplier(4)->Range(16, 1024);
BENCHMARK(mergeOfValues)->RangeMultiplier(4)->Range(16, 256);
