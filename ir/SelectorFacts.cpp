//===- ir/SelectorFacts.cpp - structural facts about selectors ------------===//

#include "ir/SelectorFacts.h"
#include "ir/Elementwise.h"
#include <cmath>

using namespace rasp::ir;

/// With what follows from the facts that there are.
static SelectorFacts completed(SelectorFacts facts) {
  facts.selectsSelf |= facts.alwaysTrue;
  facts.neverSelf |= facts.alwaysFalse;
  facts.atMostOneKey |= facts.alwaysFalse;
  facts.neverEmpty |= facts.selectsSelf;
  return facts;
}

const SelectorFacts &SelectorAnalysis::facts(const Node *selector) {
  // Operands first, without recursion on the depth of the program.
  llvm::SmallVector<const Node *> stack{selector};
  while (!stack.empty()) {
    const Node *node = stack.back();
    if (memo.count(node)) {
      stack.pop_back();
      continue;
    }
    bool ready = true;
    if (node->kind() != OpKind::Select)
      for (const Node *operand : node->operands())
        if (!memo.count(operand)) {
          stack.push_back(operand);
          ready = false;
        }
    if (!ready)
      continue;
    stack.pop_back();
    memo[node] = completed(compute(node));
  }
  return memo[selector];
}

SelectorFacts SelectorAnalysis::compute(const Node *node) {
  SelectorFacts result;
  switch (node->kind()) {
  case OpKind::Select:
    return computeSelect(node->operand(0), node->operand(1), node->compare());
  case OpKind::SelAnd: {
    const SelectorFacts &a = memo[node->operand(0)];
    const SelectorFacts &b = memo[node->operand(1)];
    result.alwaysTrue = a.alwaysTrue && b.alwaysTrue;
    result.alwaysFalse = a.alwaysFalse || b.alwaysFalse;
    result.selectsSelf = a.selectsSelf && b.selectsSelf;
    result.neverSelf = a.neverSelf || b.neverSelf;
    result.atMostOneKey = a.atMostOneKey || b.atMostOneKey;
    result.neverEmpty =
        (a.alwaysTrue && b.neverEmpty) || (b.alwaysTrue && a.neverEmpty);
    return result;
  }
  case OpKind::SelOr: {
    const SelectorFacts &a = memo[node->operand(0)];
    const SelectorFacts &b = memo[node->operand(1)];
    result.alwaysTrue = a.alwaysTrue || b.alwaysTrue;
    result.alwaysFalse = a.alwaysFalse && b.alwaysFalse;
    result.selectsSelf = a.selectsSelf || b.selectsSelf;
    result.neverSelf = a.neverSelf && b.neverSelf;
    result.atMostOneKey =
        (a.alwaysFalse && b.atMostOneKey) || (b.alwaysFalse && a.atMostOneKey);
    result.neverEmpty = a.neverEmpty || b.neverEmpty;
    return result;
  }
  case OpKind::SelNot: {
    const SelectorFacts &a = memo[node->operand(0)];
    result.alwaysTrue = a.alwaysFalse;
    result.alwaysFalse = a.alwaysTrue;
    result.selectsSelf = a.neverSelf;
    result.neverSelf = a.selectsSelf;
    return result;
  }
  default:
    llvm_unreachable("facts are asked of selectors only");
  }
}

SelectorFacts SelectorAnalysis::factsOf(const Node *key, const Node *query,
                                        CompareOp op) {
  return completed(computeSelect(key, query, op));
}

SelectorFacts SelectorAnalysis::computeSelect(const Node *key,
                                              const Node *query, CompareOp op) {
  SelectorFacts result;
  bool reflexive =
      op == CompareOp::Eq || op == CompareOp::Le || op == CompareOp::Ge;
  if (key->kind() == OpKind::Const && query->kind() == OpKind::Const) {
    EvalResult outcome = compare(op, key->value(), query->value());
    result.alwaysTrue = outcome && outcome.value.isTruthy();
    result.alwaysFalse = outcome && !outcome.value.isTruthy();
    return result;
  }
  if (key == query) {
    result.selectsSelf = reflexive;
    result.neverSelf = !reflexive;
    if (isUniform(key)) {
      result.alwaysTrue = reflexive;
      result.alwaysFalse = !reflexive;
    }
    // Under the mask a position sees nothing after itself, so `indices <=
    // indices` is everything that it sees.
    if (causal && key->kind() == OpKind::Indices) {
      result.alwaysTrue |= op == CompareOp::Le;
      result.alwaysFalse |= op == CompareOp::Gt;
    }
  }
  if (op == CompareOp::Eq) {
    result.atMostOneKey = isInjective(key);
    if (key == query)
      return result;
    bool permutations = (isRank(key) || key->kind() == OpKind::Indices) &&
                        (isRank(query) || query->kind() == OpKind::Indices);
    result.neverEmpty |= permutations && !causal;
    // The keys are 0..length-1: never empty if the query stays in that range
    // for 0 <= indices < length. Both sides of the range are affine, so the
    // corners (0, 1), (0, N), (N-1, N) with N -> infinity decide; the slopes
    // below say the same for every N.
    if (key->kind() == OpKind::Indices && !causal)
      if (std::optional<PositionForm> form = positionForm(query)) {
        double a = form->slopeIndices, b = form->slopeLength, c = form->offset;
        bool low = b + c >= 0 && b >= 0 && a + b >= 0;
        bool high = -c >= b && 1 - b >= 0 && 1 - a - b >= 0;
        result.neverEmpty |= low && high;
      }
  }
  return result;
}

bool SelectorAnalysis::isUniform(const Node *sop) {
  switch (sop->kind()) {
  case OpKind::Const:
    return true;
  case OpKind::Width:
    return isLength(sop) ||
           (!causal && sop->operand(0)->kind() == OpKind::Select &&
            isUniform(sop->operand(0)->operand(1)));
  case OpKind::Aggregate:
    return !causal && sop->operand(0)->kind() == OpKind::Select &&
           isUniform(sop->operand(0)->operand(1));
  default:
    return false;
  }
}

bool SelectorAnalysis::isLength(const Node *sop) {
  return !causal && sop->kind() == OpKind::Width &&
         facts(sop->operand(0)).alwaysTrue;
}

bool SelectorAnalysis::isInjective(const Node *sop) {
  if (isRank(sop))
    return true;
  std::optional<PositionForm> form = positionForm(sop);
  return form && form->slopeIndices != 0;
}

/// Forms are exact: ints small enough that the interpreter rounds nothing.
static std::optional<PositionForm> checked(PositionForm form) {
  constexpr double limit = 1 << 30;
  for (double c : {form.slopeIndices, form.slopeLength, form.offset})
    if (std::fabs(c) > limit)
      return std::nullopt;
  return form;
}

static std::optional<PositionForm> combine(std::optional<PositionForm> a,
                                           double scaleA,
                                           std::optional<PositionForm> b,
                                           double scaleB) {
  if (!a || !b)
    return std::nullopt;
  return checked({scaleA * a->slopeIndices + scaleB * b->slopeIndices,
                  scaleA * a->slopeLength + scaleB * b->slopeLength,
                  scaleA * a->offset + scaleB * b->offset});
}

std::optional<PositionForm> SelectorAnalysis::positionForm(const Node *sop) {
  return positionForm(sop, 0);
}

std::optional<PositionForm> SelectorAnalysis::positionForm(const Node *sop,
                                                           unsigned depth) {
  // Affine forms are short chains; deeper ones are not worth the search.
  constexpr unsigned maxDepth = 64;
  auto [it, isNew] = forms.try_emplace(sop);
  if (!isNew || depth > maxDepth)
    return it->second;
  std::optional<PositionForm> form = computeForm(sop, depth);
  forms[sop] = form;
  return form;
}

std::optional<PositionForm> SelectorAnalysis::computeForm(const Node *sop,
                                                          unsigned depth) {
  auto operand = [&](unsigned i) {
    return positionForm(sop->operand(i), depth + 1);
  };
  const PositionForm nothing;
  switch (sop->kind()) {
  case OpKind::Indices:
    return PositionForm{1, 0, 0};
  case OpKind::Const:
    if (!sop->value().isInt() && !sop->value().isBool())
      return std::nullopt;
    return checked({0, 0, sop->value().toDouble()});
  case OpKind::Width:
    if (!isLength(sop))
      return std::nullopt;
    return PositionForm{0, 1, 0};
  case OpKind::Pos:
    return operand(0);
  case OpKind::Neg:
    return combine(operand(0), -1, nothing, 0);
  case OpKind::Add:
    return combine(operand(0), 1, operand(1), 1);
  case OpKind::Sub:
    return combine(operand(0), 1, operand(1), -1);
  case OpKind::Mul: {
    std::optional<PositionForm> a = operand(0), b = operand(1);
    if (a && a->slopeIndices == 0 && a->slopeLength == 0)
      return combine(b, a->offset, nothing, 0);
    if (b && b->slopeIndices == 0 && b->slopeLength == 0)
      return combine(a, b->offset, nothing, 0);
    return std::nullopt;
  }
  default:
    return std::nullopt;
  }
}

/// `select(x, x, <)` or `select(x, x, >)`.
static bool isStrictOrder(const Node *selector) {
  return selector->kind() == OpKind::Select &&
         (selector->compare() == CompareOp::Lt ||
          selector->compare() == CompareOp::Gt) &&
         selector->operand(0) == selector->operand(1);
}

/// Whether `ties` is `select(x, x, ==) and (indices < indices)` for the x of
/// `order`, the conjuncts in any order.
static bool breaksTies(const Node *order, const Node *ties) {
  if (ties->kind() != OpKind::SelAnd)
    return false;
  for (unsigned i : {0, 1}) {
    const Node *equal = ties->operand(i), *earlier = ties->operand(1 - i);
    if (equal->kind() == OpKind::Select && equal->compare() == CompareOp::Eq &&
        equal->operand(0) == equal->operand(1) &&
        equal->operand(0) == order->operand(0) && isStrictOrder(earlier) &&
        earlier->operand(0)->kind() == OpKind::Indices)
      return true;
  }
  return false;
}

bool SelectorAnalysis::isRank(const Node *sop) {
  if (causal)
    return false;
  const Node *a = nullptr, *b = nullptr;
  if (sop->kind() == OpKind::Add && sop->operand(0)->kind() == OpKind::Width &&
      sop->operand(1)->kind() == OpKind::Width) {
    a = sop->operand(0)->operand(0);
    b = sop->operand(1)->operand(0);
  } else if (sop->kind() == OpKind::Width &&
             sop->operand(0)->kind() == OpKind::SelOr) {
    a = sop->operand(0)->operand(0);
    b = sop->operand(0)->operand(1);
  } else if (sop->kind() == OpKind::Width) {
    return isStrictOrder(sop->operand(0)) &&
           sop->operand(0)->operand(0)->kind() == OpKind::Indices;
  } else {
    return false;
  }
  return (isStrictOrder(a) && breaksTies(a, b)) ||
         (isStrictOrder(b) && breaksTies(b, a));
}
