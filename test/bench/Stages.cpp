//===- test/bench/Stages.cpp - how long each stage of a compilation takes -===//
//
// `evaluate` includes `parse`, `write` the runs of the model on its examples;
// otherwise each stage is measured by itself, on what the one before it made.
//
//===----------------------------------------------------------------------===//

#include "backend/Assemble.h"
#include "backend/Certify.h"
#include "backend/Lowering.h"
#include "frontend/Parser.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"
#include "runtime/WeightFile.h"
#include "test/bench/Programs.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <benchmark/benchmark.h>

using namespace rasp;
using benchmark::State;

static void parse(State &state, Compilation &c) {
  llvm::StringRef text = c.sources.getMemoryBuffer(c.bufferId)->getBuffer();
  for (auto _ : state) {
    llvm::SourceMgr sources;
    ir::Diagnostics diags(sources);
    ast::Context context;
    unsigned buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBuffer(text), llvm::SMLoc());
    benchmark::DoNotOptimize(frontend::parse(buffer, diags, context));
  }
}

static void evaluate(State &state, Compilation &c) {
  llvm::StringRef text = c.sources.getMemoryBuffer(c.bufferId)->getBuffer();
  for (auto _ : state) {
    Compilation fresh;
    fresh.setText(text, "bench.rasp");
    benchmark::DoNotOptimize(fresh.evaluate({}));
  }
}

static void inferValues(State &state, Compilation &c) {
  llvm::SourceMgr sources;
  for (auto _ : state) {
    ir::Diagnostics diags(sources);
    ir::ValueSets sets(c.compiled, c.domain, diags);
    benchmark::DoNotOptimize(&sets.of(c.compiled));
  }
}

static backend::Circuit lowered(Compilation &c) {
  ir::Diagnostics diags(c.sources);
  backend::Lowering lowering(*c.values, *c.names, {}, diags);
  return std::move(*lowering.run(c.compiled));
}

static void lower(State &state, Compilation &c) {
  for (auto _ : state)
    benchmark::DoNotOptimize(lowered(c));
}

static void schedule(State &state, Compilation &c) {
  backend::Circuit circuit = lowered(c);
  for (auto _ : state) {
    state.PauseTiming();
    backend::Circuit own = circuit;
    state.ResumeTiming();
    backend::schedule(own);
    benchmark::DoNotOptimize(own.layers);
  }
}

static void layOut(State &state, Compilation &c) {
  for (auto _ : state)
    benchmark::DoNotOptimize(backend::layOut(c.circuit));
}

static void assemble(State &state, Compilation &c) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        backend::assemble(c.circuit, c.layout, c.domain, c.dtype));
}

static void certify(State &state, Compilation &c) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        backend::certify(c.circuit, c.layout, *c.names, *c.values, 0x1p-24));
}

static void write(State &state, Compilation &c) {
  rt::Model model = c.makeModel();
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile("bench", "h5", path)) {
    state.SkipWithError("no temporary file");
    return;
  }
  for (auto _ : state)
    if (llvm::Error failure = rt::writeModel(model, path))
      state.SkipWithError(llvm::toString(std::move(failure)).c_str());
  llvm::sys::fs::remove(path);
}

/// One input of the greatest length.
static void forward(State &state, Compilation &c) {
  rt::Model model = c.makeModel();
  rt::Tokenizer tokenizer(model);
  std::vector<rt::Atom> input;
  for (unsigned i = 0; i < c.domain.maxSeqLen; ++i)
    input.push_back(model.input.values[i * i % model.input.values.size()]);
  llvm::Expected<std::vector<uint32_t>> ids = tokenizer.encode(input);
  if (!ids) {
    state.SkipWithError(llvm::toString(ids.takeError()).c_str());
    return;
  }
  rt::Transformer<float> transformer(model);
  rt::Transformer<float>::Workspace workspace;
  for (auto _ : state)
    benchmark::DoNotOptimize(transformer.forward(*ids, workspace));
}

/// All stages for some small and some large models.
static const bool registered = [] {
  static const struct {
    const char *name;
    void (*run)(State &, Compilation &);
  } stages[] = {
      {"parse", [](State &s, Compilation &c) { parse(s, c); }},
      {"evaluate", [](State &s, Compilation &c) { evaluate(s, c); }},
      {"value_sets", [](State &s, Compilation &c) { inferValues(s, c); }},
      {"lower", [](State &s, Compilation &c) { lower(s, c); }},
      {"schedule", [](State &s, Compilation &c) { schedule(s, c); }},
      {"lay_out", [](State &s, Compilation &c) { layOut(s, c); }},
      {"assemble", [](State &s, Compilation &c) { assemble(s, c); }},
      {"certify", [](State &s, Compilation &c) { certify(s, c); }},
      {"write", write},
      {"forward", forward}};
  static const struct {
    const char *name;
    std::vector<unsigned> lengths;
  } programs[] = {{"hist", {40, 160}},
                  {"reverse", {40, 160}},
                  {"sort", {40, 160}},
                  {"dyck2_ptf", {20, 40}}};
  for (const auto &program : programs)
    for (unsigned length : program.lengths)
      for (const auto &stage : stages) {
        std::string name = (llvm::Twine(stage.name) + "/" + program.name + "/" +
                            llvm::Twine(length))
                               .str();
        benchmark::RegisterBenchmark(name.c_str(), [=](State &state) {
          std::unique_ptr<Compilation> compilation =
              bench::compile(bench::exampleText(program.name), length);
          stage.run(state, *compilation);
        })->Unit(benchmark::kMicrosecond);
      }
  return true;
}();
