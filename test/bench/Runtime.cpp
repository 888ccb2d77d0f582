//===- test/bench/Runtime.cpp - how fast models run -----------------------===//
//
// rasp-bench-runtime MODEL.h5...: sequences per second of the forward pass,
// from ids to logits, for the longest sequences that a model takes: one at a
// time on one thread, and 1,024 at a time on every processor. The options are
// Google Benchmark's; runtime.py beside this file compares with
// TransformerLens.
//
//===----------------------------------------------------------------------===//

#include "runtime/Transformer.h"
#include "runtime/WeightFile.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <benchmark/benchmark.h>
#include <deque>
#include <random>

using namespace rasp::rt;

static std::vector<std::vector<uint32_t>> randomSequences(const Model &model,
                                                          size_t count) {
  std::mt19937 generator;
  std::uniform_int_distribution<uint32_t> token(0,
                                                model.input.values.size() - 1);
  std::vector<std::vector<uint32_t>> sequences(
      count, std::vector<uint32_t>(model.config.nCtx));
  for (std::vector<uint32_t> &ids : sequences) {
    std::generate(ids.begin(), ids.end(), [&] { return token(generator); });
    ids.front() = model.input.bosId;
  }
  return sequences;
}

template <typename T>
static void addBenchmarks(const Model &model, llvm::StringRef modelName) {
  static std::deque<Transformer<T>> transformers; // keeps its elements in place
  const Transformer<T> &transformer = transformers.emplace_back(model);
  for (unsigned batch : {1u, 1024u}) {
    std::string name = (modelName + "/" + llvm::Twine(batch)).str();
    auto run = [&model, &transformer, batch](benchmark::State &state) {
      std::vector<std::vector<uint32_t>> sequences =
          randomSequences(model, batch);
      typename Transformer<T>::Workspace workspace;
      for (auto _ : state)
        transformer.forwardEach(
            sequences, workspace,
            [](size_t, const Logits<T> &logits, unsigned sequence) {
              benchmark::DoNotOptimize(logits(0, 0, sequence));
            });
      state.SetItemsProcessed(state.iterations() * batch);
    };
    benchmark::RegisterBenchmark(name.c_str(), run);
  }
}

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  std::deque<Model> models;
  for (int i = 1; i < argc; ++i) {
    llvm::Expected<Model> model = readModel(argv[i]);
    if (!model) {
      llvm::errs() << "rasp-bench-runtime: "
                   << llvm::toString(model.takeError()) << "\n";
      return 2;
    }
    models.push_back(std::move(*model));
    withScalar(models.back().config.dtype, [&](auto zero) {
      addBenchmarks<decltype(zero)>(models.back(),
                                    llvm::sys::path::stem(argv[i]));
    });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
