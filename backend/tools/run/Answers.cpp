//===- backend/tools/run/Answers.cpp - runs the inputs of rasp-run --------===//

#include "backend/tools/run/Answers.h"
#include "runtime/Atom.h"
#include "runtime/Transformer.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;

namespace {
/// Answers in the arithmetic of the model.
template <typename T> class Runner {
public:
  Runner(const rt::Model &model, const rt::Tokenizer &tokenizer,
         llvm::MutableArrayRef<rt::Input> inputs, const RunOptions &options,
         std::vector<std::string> &insides)
      : model(model), tokenizer(tokenizer), inputs(inputs), options(options),
        insides(insides), pass(model), intervener(pass, options.interventions) {
  }

  llvm::Error run() {
    rt::refuseMisfits(intervener, inputs);
    bool isTraced = options.tracePath && !rt::anyRefused(inputs);
    if (isTraced)
      if (llvm::Error error = checkSizes())
        return error;
    if (!isTraced && options.interventions.empty() && !options.show.any())
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
  /// Decompositions of wide models are too large for memory.
  llvm::Error checkSizes() const {
    constexpr uint64_t most = 1 << 28;
    uint64_t longest = 0;
    for (const rt::Input &input : inputs)
      longest = std::max<uint64_t>(longest, input.ids.size());
    uint64_t numbers =
        std::min(inputs.size(), rt::batchSize) * longest * model.config.dModel;
    for (rt::DecompositionKind kind : options.traced.decompositions) {
      uint64_t labels = rt::labelsFor(kind, pass.hooks()).size();
      if (labels * numbers > most)
        return llvm::createStringError(
            llvm::inconvertibleErrorCode(),
            "`" + rt::nameOf(kind) + "` has " + llvm::Twine(labels) +
                " parts, too many for inputs of " + llvm::Twine(longest - 1) +
                " tokens; take fewer or shorter inputs, or leave it out");
    }
    return llvm::Error::success();
  }

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

  /// The activations that are asked for.
  std::vector<rt::HookPoint> pointsFor(bool isTraced) const {
    std::vector<rt::HookPoint> points = options.show.points(pass.hooks());
    if (!isTraced)
      return points;
    llvm::append_range(points, options.traced.points);
    for (rt::DecompositionKind kind : options.traced.decompositions)
      llvm::append_range(points, rt::pointsFor(kind, pass.hooks()));
    return points;
  }

  /// With the hooked pass; `trace` gets the activations.
  void runHooked(rt::TraceWriter *trace) {
    auto groups = rt::groupByLength(inputs);
    unsigned length = 0;
    rt::runBatches<T>(
        pass, intervener, tokenizer, inputs, pointsFor(trace != nullptr),
        [&](const rt::Batch<T> &batch) {
          for (auto [sequence, number] : llvm::enumerate(batch.numbers))
            show(number, batch.cache, sequence);
          if (!trace)
            return;
          if (batch.length != length)
            trace->beginLength(batch.length, groups[batch.length]);
          length = batch.length;
          write(batch, *trace);
        });
  }

  void write(const rt::Batch<T> &batch, rt::TraceWriter &trace) const {
    trace.writeTokens(batch.first, batch.ids);
    for (const rt::HookPoint &point : options.traced.points)
      trace.writeActivation(batch.first, point, batch.cache[point]);
    for (rt::DecompositionKind kind : options.traced.decompositions)
      trace.writeDecomposition(batch.first, kind,
                               rt::decompose(kind, pass, batch.cache));
    trace.writeLogits(batch.first, batch.logits);
  }

  void show(int64_t number, const rt::ActivationCache<T> &cache,
            size_t sequence) const {
    llvm::raw_string_ostream os(insides[number]);
    Inside<T> inside{model, inputs[number], cache,
                     static_cast<unsigned>(sequence), options.show};
    if (options.show.variables)
      showVariables(os, inside, *options.decoder, options.program);
    if (options.show.residual)
      showResidual(os, inside);
    if (options.show.attention)
      showAttention(os, inside);
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
  std::vector<std::string> &insides;
  rt::HookedPass<T> pass;
  rt::Intervener<T> intervener;
};
} // namespace

llvm::Error rasp::answer(const rt::Model &model, const rt::Tokenizer &tokenizer,
                         llvm::MutableArrayRef<rt::Input> inputs,
                         const RunOptions &options,
                         std::vector<std::string> &insides) {
  insides.assign(inputs.size(), "");
  return rt::withScalar(model.config.dtype, [&](auto zero) {
    return Runner<decltype(zero)>(model, tokenizer, inputs, options, insides)
        .run();
  });
}
