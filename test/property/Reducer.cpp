//===- test/property/Reducer.cpp - a smaller program with a flaw ----------===//

#include "test/property/Reducer.h"
#include "llvm/ADT/ArrayRef.h"

using namespace rasp::property;

namespace {

class Reducer {
public:
  Reducer(RandomProgram program,
          llvm::function_ref<bool(const RandomProgram &)> persists,
          unsigned maxTrials)
      : best(std::move(program)), persists(persists), trialsLeft(maxTrials) {}

  RandomProgram run() {
    while (earlierOutput() || shorterInput() || smallerTree())
      ;
    return best;
  }

private:
  /// Keeps `candidate` if the flaw persists in it.
  bool accept(RandomProgram candidate) {
    if (trialsLeft == 0)
      return false;
    --trialsLeft;
    if (!persists(candidate))
      return false;
    best = std::move(candidate);
    return true;
  }

  bool earlierOutput() {
    for (size_t size = 1; size < best.statements.size(); ++size) {
      if (best.statements[size - 1]->type == Type::Selector)
        continue;
      RandomProgram candidate = best;
      candidate.statements.resize(size);
      if (accept(std::move(candidate)))
        return true;
    }
    return false;
  }

  bool shorterInput() {
    if (best.maxSeqLen > 1) {
      RandomProgram candidate = best;
      --candidate.maxSeqLen;
      if (accept(std::move(candidate)))
        return true;
    }
    for (size_t i = 0; i < best.vocabulary.size() && best.vocabulary.size() > 1;
         ++i) {
      RandomProgram candidate = best;
      candidate.vocabulary.erase(candidate.vocabulary.begin() +
                                 static_cast<std::ptrdiff_t>(i));
      if (accept(std::move(candidate)))
        return true;
    }
    return false;
  }

  bool smallerTree() {
    std::vector<bool> live = best.live();
    for (size_t i = 0; i < best.statements.size(); ++i) {
      if (!live[i])
        continue;
      // Every variant of the statement, those that lose most first.
      std::vector<ExprRef> variants;
      addVariants(best.statements[i], variants);
      for (const ExprRef &variant : variants) {
        RandomProgram candidate = best;
        candidate.statements[i] = variant;
        if (accept(std::move(candidate)))
          return true;
      }
    }
    return false;
  }

  /// What may stand for `expr`, a tree with one place changed.
  void addVariants(const ExprRef &expr, std::vector<ExprRef> &variants) {
    auto fits = [&](const Expr &other) {
      return other.type == expr->type ||
             (other.type == Type::Int && expr->type == Type::Float);
    };
    if (expr->statement >= 0)
      // A name gives way to what it stands for if that is smaller already.
      if (const ExprRef &meaning = best.statements[expr->statement];
          meaning->operands.empty())
        variants.push_back(meaning);
    for (const char *leaf : leavesOf(expr->type)) {
      // The leaves are tried in this order; one never gives way to a later.
      if (expr->pattern == leaf)
        break;
      variants.push_back(
          std::make_shared<Expr>(Expr{expr->type, leaf, {}, -1}));
    }
    for (const ExprRef &operand : expr->operands)
      if (fits(*operand))
        variants.push_back(operand);
    for (size_t i = 0; i < expr->operands.size(); ++i) {
      std::vector<ExprRef> inner;
      addVariants(expr->operands[i], inner);
      for (ExprRef &operand : inner) {
        Expr changed = *expr;
        changed.operands[i] = std::move(operand);
        variants.push_back(std::make_shared<Expr>(std::move(changed)));
      }
    }
  }

  static llvm::ArrayRef<const char *> leavesOf(Type type) {
    static const char *const numbers[] = {"1", "0", "indices"};
    static const char *const bools[] = {"True", "(tokens == \"a\")"};
    static const char *const strings[] = {"\"-\"", "tokens"};
    static const char *const selectors[] = {"full_s",
                                            "select(indices, indices, ==)",
                                            "select(indices, indices, <=)"};
    switch (type) {
    case Type::Int:
    case Type::Float:
      return numbers;
    case Type::Bool:
      return bools;
    case Type::String:
      return strings;
    default:
      return selectors;
    }
  }

  RandomProgram best;
  llvm::function_ref<bool(const RandomProgram &)> persists;
  unsigned trialsLeft;
};

} // namespace

RandomProgram
rasp::property::reduce(RandomProgram program,
                       llvm::function_ref<bool(const RandomProgram &)> persists,
                       unsigned maxTrials) {
  return Reducer(std::move(program), persists, maxTrials).run();
}
