//===- backend/tools/run/Answers.cpp - runs the inputs of rasp-run --------===//

#include "backend/tools/run/Answers.h"
#include "runtime/ActivationCache.h"
#include "runtime/Atom.h"
#include "runtime/TraceFile.h"
#include "runtime/Transformer.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace rasp;

/// Sequences that run together where activations are looked at.
static constexpr size_t batchSize = 16;

namespace {
/// Answers in the arithmetic of the model.
template <typename T> class Runner {
public:
  Runner(const rt::Model &model, const rt::Tokenizer &tokenizer,
         llvm::MutableArrayRef<Input> inputs, const RunOptions &options)
      : model(model), tokenizer(tokenizer), inputs(inputs), options(options),
        pass(model), intervener(pass, options.interventions) {}

  llvm::Error run() {
    refuseMisfits();
    bool isTraced = options.tracePath && !anyRefused(inputs);
    if (!isTraced && options.interventions.empty())
      runFast();
    else if (!isTraced)
      runHooked(nullptr);
    else
      return rt::TraceWriter::write(*options.tracePath, model, options.traced,
                                    [&](rt::TraceWriter &trace) {
                                      runHooked(&trace);
                                      return allAnswers();
                                    });
    return llvm::Error::success();
  }

private:
  /// Refuses inputs that interventions do not fit.
  void refuseMisfits() {
    for (auto [i, input] : llvm::enumerate(inputs))
      if (!input.isRefused())
        input.refusal = llvm::toString(intervener.check(input.ids.size(), i));
  }

  void runFast() {
    rt::Transformer<T> transformer(model);
    typename rt::Transformer<T>::Workspace workspace;
    for (Input &input : inputs)
      if (!input.isRefused())
        decode(input, transformer.forward(input.ids, workspace), 0);
  }

  template <typename LogitsT>
  void decode(Input &input, const LogitsT &logits, unsigned sequence) {
    for (unsigned position = 1; position < input.ids.size(); ++position)
      input.output.push_back(tokenizer.decode(logits, position, sequence));
  }

  /// Inputs of one length run together.
  void runHooked(rt::TraceWriter *trace) {
    std::map<size_t, std::vector<int64_t>> byLength;
    for (auto [i, input] : llvm::enumerate(inputs))
      if (!input.isRefused())
        byLength[input.ids.size()].push_back(static_cast<int64_t>(i));
    for (auto &[length, numbers] : byLength) {
      if (trace)
        trace->beginLength(length, numbers);
      for (size_t first = 0; first < numbers.size(); first += batchSize)
        runBatch(llvm::ArrayRef(numbers).slice(
                     first, std::min(batchSize, numbers.size() - first)),
                 first, trace);
    }
  }

  void runBatch(llvm::ArrayRef<int64_t> numbers, size_t first,
                rt::TraceWriter *trace) {
    std::vector<std::vector<uint32_t>> batch;
    for (int64_t number : numbers)
      batch.push_back(inputs[number].ids);
    rt::ActivationCache<T> cache(trace ? llvm::ArrayRef(options.traced)
                                       : llvm::ArrayRef<rt::HookPoint>());
    rt::HookVisitors<T> visitors;
    visitors.add(intervener);
    visitors.add(cache);
    intervener.begin(batch.front().size(), numbers);
    rt::Tensor<T> logits = pass.run(batch, &visitors);
    for (auto [sequence, number] : llvm::enumerate(numbers))
      decode(inputs[number], rt::LogitsOf<T>(logits), sequence);
    if (!trace)
      return;
    trace->writeTokens(first, batch);
    for (const rt::HookPoint &point : options.traced)
      trace->writeActivation(first, point, cache[point]);
    trace->writeLogits(first, logits);
  }

  std::string allAnswers() const {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "[\n";
    llvm::interleave(
        inputs, os, [&](const Input &input) { printAnswer(os, model, input); },
        ",\n");
    os << "\n]";
    return text;
  }

  const rt::Model &model;
  const rt::Tokenizer &tokenizer;
  llvm::MutableArrayRef<Input> inputs;
  const RunOptions &options;
  rt::HookedPass<T> pass;
  rt::Intervener<T> intervener;
};
} // namespace

llvm::Error rasp::answer(const rt::Model &model, const rt::Tokenizer &tokenizer,
                         llvm::MutableArrayRef<Input> inputs,
                         const RunOptions &options) {
  return rt::withScalar(model.config.dtype, [&](auto zero) {
    return Runner<decltype(zero)>(model, tokenizer, inputs, options).run();
  });
}

void rasp::printAnswer(llvm::raw_ostream &os, const rt::Model &model,
                       const Input &input) {
  if (input.isRefused()) {
    os << llvm::json::Value(llvm::json::Object{{"error", input.refusal}});
    return;
  }
  os << "{\"input\":";
  rt::printJSON(os, tokensOf(model, input));
  os << ",\"output\":";
  rt::printJSON(os, input.output);
  os << "}";
}
