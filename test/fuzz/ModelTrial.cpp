//===- test/fuzz/ModelTrial.cpp - everything that reads a model -----------===//

#include "test/fuzz/ModelTrial.h"
#include "backend/tools/Compilation.h"
#include "backend/tools/run/Answers.h"
#include "frontend/LargeStack.h"
#include "runtime/Atom.h"
#include "runtime/CertificateChecker.h"
#include "runtime/ComponentSupport.h"
#include "runtime/Transformer.h"
#include "runtime/Unfolding.h"
#include "test/fuzz/Fuzz.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;

rt::Model fuzz::compileModel(llvm::StringRef text, bool smallest) {
  std::optional<rt::Model> model;
  frontend::runWithLargeStack([&] {
    SynthesisOptions effort;
    effort.smallest = smallest;
    Compilation compilation;
    compilation.setText(text, "model.rasp");
    if (compilation.evaluate({}) && compilation.inferValues() &&
        compilation.synthesise(effort) && compilation.layOut())
      model = compilation.makeModel();
    else
      compilation.diags.printAll(llvm::errs());
  });
  if (!model)
    report("a program of the fuzz targets does not compile");
  return std::move(*model);
}

bool fuzz::isSmall(const rt::Model &model) {
  constexpr uint64_t mostPositions = 4096, most = 4096, mostLayers = 64;
  rt::Shape shape = rt::shapeOf(model);
  return model.config.nCtx <= mostPositions && shape.layers <= mostLayers &&
         uint64_t(shape.heads) * shape.dHead <= most && shape.dMlp <= most &&
         shape.dModel <= most && shape.vocab <= most && shape.outputs <= most;
}

/// One token, and the longest input up to four.
static std::vector<rt::Input> makeInputs(const rt::Model &model) {
  std::vector<rt::Input> inputs;
  if (model.input.values.empty())
    return inputs;
  for (unsigned length : {2u, std::min(model.config.nCtx, 5u)}) {
    if (length > model.config.nCtx || length < 2)
      continue;
    rt::Input &input = inputs.emplace_back();
    input.ids.push_back(model.input.bosId);
    for (unsigned i = 1; i < length; ++i)
      input.ids.push_back((i - 1) % model.input.values.size());
  }
  return inputs;
}

namespace {
/// Sees whether any activation is too large for its type.
template <typename T> struct OverflowCheck : rt::HookVisitor<T> {
  explicit OverflowCheck(bool causal) : causal(causal) {}

  bool causal;
  bool overflows = false;

  bool wants(const rt::HookPoint &) const override { return true; }
  bool visit(const rt::HookPoint &point, rt::Tensor<T> &activation) override {
    // Of keys that a causal mask hides, the score is -inf.
    bool isMasked = causal && point.kind == rt::HookKind::AttnScores;
    unsigned length = isMasked ? activation.shape.back() : 1;
    for (auto [i, number] : llvm::enumerate(activation.data))
      overflows |=
          !std::isfinite(number) && (i % length <= i / length % length);
    return false;
  }
};
} // namespace

/// Both passes give the same logits, to the bit, unless a number overflows on
/// the way.
template <typename T>
static void comparePasses(const rt::Model &model,
                          llvm::ArrayRef<rt::Input> inputs) {
  rt::Transformer<T> transformer(model);
  typename rt::Transformer<T>::Workspace workspace;
  rt::HookedPass<T> pass(model);
  for (const rt::Input &input : inputs) {
    rt::Logits<T> logits = transformer.forward(input.ids, workspace);
    OverflowCheck<T> check(model.config.causal);
    rt::Tensor<T> hooked = pass.run(input.ids, &check);
    for (unsigned t = 0; t < input.ids.size() && !check.overflows; ++t)
      for (unsigned o = 0; o < transformer.numOutputs(); ++o) {
        T a = logits(t, o), b = *hooked.at(0, t, o);
        if (a != b)
          fuzz::report("the passes differ at position " + llvm::Twine(t) +
                       ", logit " + llvm::Twine(o) + ": " + std::to_string(a) +
                       " and " + std::to_string(b));
      }
  }
}

namespace {
/// Also sees whether something is not cleared since it is negative.
template <typename T> struct ClearingCheck : OverflowCheck<T> {
  ClearingCheck(bool causal, const rt::Unfolding &unfolding)
      : OverflowCheck<T>(causal), unfolding(unfolding) {}

  const rt::Unfolding &unfolding;
  bool isNegative = false;

  bool visit(const rt::HookPoint &point, rt::Tensor<T> &activation) override {
    for (const rt::ClearedDirection &cleared : unfolding.cleared)
      if (point.kind == rt::HookKind::ResidMid &&
          point.layer == static_cast<int>(cleared.layer) &&
          cleared.units.size() == 1)
        for (unsigned t = 0; t < activation.shape[1]; ++t)
          isNegative |=
              *activation.at(0, t, unfolding.coordinateOf[cleared.direction]) <
              0;
    return OverflowCheck<T>::visit(point, activation);
  }
};
} // namespace

/// The model in which every direction has a coordinate of its own gives the
/// same logits, unless numbers overflow or sums are rounded on the way.
template <typename T>
static void compareUnfolded(const rt::Model &model,
                            llvm::ArrayRef<rt::Input> inputs) {
  std::optional<rt::ResidualMap> map = rt::ResidualMap::makeIfKnown(model);
  if (!map || !map->isShared())
    return;
  llvm::Expected<rt::Unfolding> unfolding = rt::unfold(model, *map);
  if (!unfolding)
    return llvm::consumeError(unfolding.takeError());
  if (llvm::any_of(unfolding->cleared,
                   [](const auto &cleared) { return cleared.isSwap; }))
    return;
  rt::HookedPass<T> folded(model), unfolded(unfolding->model);
  for (const rt::Input &input : inputs) {
    ClearingCheck<T> check(model.config.causal, *unfolding);
    OverflowCheck<T> other(model.config.causal);
    std::vector<T> one = folded.run(input.ids, &check).data,
                   two = unfolded.run(input.ids, &other).data;
    if (!check.overflows && !check.isNegative && !other.overflows && one != two)
      fuzz::report("the model changes by being unfolded");
  }
}

void fuzz::tryCertificate(const rt::Model &model,
                          const llvm::json::Value &json) {
  llvm::Expected<rt::Certificate> certificate = rt::certificateFromJSON(json);
  if (!certificate)
    return llvm::consumeError(certificate.takeError());
  rt::checkCertificate(model, *certificate);
  llvm::json::Value printed = rt::toJSON(*certificate);
  llvm::Expected<rt::Certificate> again = rt::certificateFromJSON(printed);
  if (!again)
    report("a certificate that was written is refused: " +
           llvm::toString(again.takeError()));
  if (rt::toJSON(*again) != printed)
    report("a certificate changes by being written and read");
}

void fuzz::tryModel(const rt::Model &model,
                    llvm::ArrayRef<rt::Intervention> interventions) {
  std::vector<rt::Input> inputs = makeInputs(model);
  bool isPlain = interventions.empty();
  if (isPlain)
    rt::withScalar(model.config.dtype, [&](auto zero) {
      comparePasses<decltype(zero)>(model, inputs);
      compareUnfolded<decltype(zero)>(model, inputs);
    });

  RunOptions options;
  options.interventions = interventions.vec();
  options.show.residual = options.show.attention = isPlain;
  std::optional<rt::VariableDecoder> decoder;
  if (isPlain) {
    llvm::Expected<rt::VariableDecoder> made = rt::VariableDecoder::make(model);
    if (made)
      options.decoder = &decoder.emplace(std::move(*made));
    else
      llvm::consumeError(made.takeError());
    options.show.variables = decoder.has_value();
  }
  rt::Tokenizer tokenizer(model);
  std::vector<std::string> insides;
  if (llvm::Error error = answer(model, tokenizer, inputs, options, insides))
    llvm::consumeError(std::move(error));
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const rt::Input &input : inputs)
    if (!input.isRefused())
      rt::printSequence(os, input.output);
  if (!isPlain)
    return;
  llvm::consumeError(showDirections(os, model));
  rt::writesOf(model);
  rt::readsOf(model);
  tryCertificate(model, model.certificate);
  llvm::Expected<CompileOptions> given =
      CompileOptions::fromJSON(model.options);
  if (!given)
    llvm::consumeError(given.takeError());
}
