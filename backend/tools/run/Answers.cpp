//===- backend/tools/run/Answers.cpp - runs the inputs of rasp-run --------===//

#include "backend/tools/run/Answers.h"
#include "runtime/Atom.h"
#include "runtime/TraceFile.h"
#include "runtime/Transformer.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;

namespace {
/// Answers in the arithmetic of the model.
template <typename T> class Runner {
public:
  Runner(const rt::Model &model, const rt::Tokenizer &tokenizer,
         llvm::MutableArrayRef<rt::Input> inputs, const RunOptions &options)
      : model(model), tokenizer(tokenizer), inputs(inputs), options(options),
        pass(model), intervener(pass, options.interventions) {}

  llvm::Error run() {
    rt::refuseMisfits(intervener, inputs);
    bool isTraced = options.tracePath && !rt::anyRefused(inputs);
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
  void runFast() {
    rt::Transformer<T> transformer(model);
    typename rt::Transformer<T>::Workspace workspace;
    for (rt::Input &input : inputs) {
      if (input.isRefused())
        continue;
      rt::Logits<T> logits = transformer.forward(input.ids, workspace);
      for (unsigned position = 1; position < input.ids.size(); ++position)
        input.output.push_back(tokenizer.decode(logits, position));
    }
  }

  /// With the hooked pass; `trace` gets the activations.
  void runHooked(rt::TraceWriter *trace) {
    auto groups = rt::groupByLength(inputs);
    unsigned length = 0;
    rt::runBatches<T>(
        pass, intervener, tokenizer, inputs,
        trace ? llvm::ArrayRef(options.traced)
              : llvm::ArrayRef<rt::HookPoint>(),
        [&](const rt::Batch<T> &batch) {
          if (!trace)
            return;
          if (batch.length != length)
            trace->beginLength(batch.length, groups[batch.length]);
          length = batch.length;
          trace->writeTokens(batch.first, batch.ids);
          for (const rt::HookPoint &point : options.traced)
            trace->writeActivation(batch.first, point, batch.cache[point]);
          trace->writeLogits(batch.first, batch.logits);
        });
  }

  std::string allAnswers() const {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "[\n";
    llvm::interleave(
        inputs, os,
        [&](const rt::Input &input) { rt::printAnswer(os, model, input); },
        ",\n");
    os << "\n]";
    return text;
  }

  const rt::Model &model;
  const rt::Tokenizer &tokenizer;
  llvm::MutableArrayRef<rt::Input> inputs;
  const RunOptions &options;
  rt::HookedPass<T> pass;
  rt::Intervener<T> intervener;
};
} // namespace

llvm::Error rasp::answer(const rt::Model &model, const rt::Tokenizer &tokenizer,
                         llvm::MutableArrayRef<rt::Input> inputs,
                         const RunOptions &options) {
  return rt::withScalar(model.config.dtype, [&](auto zero) {
    return Runner<decltype(zero)>(model, tokenizer, inputs, options).run();
  });
}
