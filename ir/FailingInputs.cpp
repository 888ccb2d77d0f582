//===- ir/FailingInputs.cpp - inputs on which ops fail --------------------===//

#include "ir/FailingInputs.h"
#include "ir/Interpreter.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

namespace {

/// Runs one input after the other while it may.
class Trial {
public:
  /// The last of `roots` is the program, the others are the ops.
  Trial(llvm::ArrayRef<const Node *> roots, const Domain &domain,
        size_t maxWork,
        llvm::DenseMap<const Node *, FailingInputs::Found> &found)
      : roots(roots), interpreter(roots, {domain.causal}), state(interpreter),
        workLeft(static_cast<double>(maxWork)), found(found) {
    for (const Node *node : reachable(roots))
      ++(node->isSelector() ? selectors : sops);
  }

  /// False if there is nothing to be found any more, or it would take too long.
  bool run(llvm::ArrayRef<Value> input) {
    double length = static_cast<double>(input.size());
    workLeft -= length * (sops + selectors * length);
    if (workLeft < 0)
      return false;
    llvm::ArrayRef<RootResult> results = interpreter.run(input, state);
    for (auto [op, result] :
         llvm::zip_equal(roots.drop_back(), results.drop_back())) {
      if (!result.failure || result.failure->node != op)
        continue;
      if (results.back().failure)
        found.try_emplace(
            op, FailingInputs::Found{input.vec(), result.failure->message()});
      else
        anyHarmless = true;
    }
    return found.size() + 1 < roots.size();
  }
  /// Whether an op failed where the program does not.
  bool foundHarmless() const { return anyHarmless; }
  bool isTired() const { return workLeft < 0; }
  void refresh(size_t maxWork) { workLeft = static_cast<double>(maxWork); }

private:
  llvm::ArrayRef<const Node *> roots;
  Interpreter interpreter;
  Interpreter::State state;
  double sops = 0, selectors = 0, workLeft;
  bool anyHarmless = false;
  llvm::DenseMap<const Node *, FailingInputs::Found> &found;
};

} // namespace

/// Counts through all inputs of a length, the last token fastest; false as soon
/// as `trial` is.
static bool runAll(Trial &trial, llvm::ArrayRef<Value> vocabulary,
                   unsigned length) {
  std::vector<size_t> tokens(length);
  std::vector<Value> input(length, vocabulary.front());
  while (true) {
    if (!trial.run(input))
      return false;
    size_t place = length;
    while (place > 0 && tokens[place - 1] + 1 == vocabulary.size()) {
      --place;
      tokens[place] = 0;
      input[place] = vocabulary.front();
    }
    if (place == 0)
      return true;
    input[place - 1] = vocabulary[++tokens[place - 1]];
  }
}

FailingInputs::FailingInputs(llvm::ArrayRef<const Node *> ops,
                             const Node *program, const Domain &domain,
                             size_t maxWork) {
  std::vector<const Node *> roots = ops.vec();
  roots.push_back(program);
  Trial trial(roots, domain, maxWork, found);
  unsigned length = 1;
  while (length <= domain.maxSeqLen && runAll(trial, domain.vocabulary, length))
    ++length;
  complete = length > domain.maxSeqLen && !trial.foundHarmless();
  if (!trial.isTired())
    return;

  // Longer ones: of few different tokens, since what is rare in a long input
  // is often that all are the same, or all but one.
  trial.refresh(maxWork);
  uint64_t random = 1;
  auto draw = [&](size_t below) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(random >> 33) % below;
  };
  bool goesOn = true;
  while (goesOn) {
    std::vector<Value> input(length + draw(domain.maxSeqLen - length + 1));
    size_t first = draw(domain.vocabulary.size());
    size_t kinds = 1 + draw(domain.vocabulary.size());
    for (Value &token : input)
      token =
          domain.vocabulary[(first + draw(kinds)) % domain.vocabulary.size()];
    goesOn = trial.run(input);
  }
}
