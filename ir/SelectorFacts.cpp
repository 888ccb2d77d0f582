//===- ir/SelectorFacts.cpp - structural facts about selectors ------------===//

#include "ir/SelectorFacts.h"
#include "ir/Elementwise.h"
#include "ir/Ranks.h"
#include "ir/UniqueKeys.h"
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
    SelectorFacts result = compute(node);
    if (!result.atMostOneKey)
      result.atMostOneKey = UniqueKeys(*this, causal).holdsFor(node);
    memo[node] = completed(result);
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
    // The keys are all positions that are visible, in some order.
    if (key->kind() == OpKind::Indices || isRank(key))
      result.neverEmpty |= isPosition(query);
    // The keys are 0..length-1: never empty if the query stays in that range
    // for 0 <= indices < length. Both sides of the range are affine, so the
    // corners (0, 1), (0, N), (N-1, N) with N -> infinity decide; the slopes
    // below say the same for every N.
    if ((key->kind() == OpKind::Indices || isRank(key)) && !causal)
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

bool SelectorAnalysis::isRank(const Node *sop) {
  return !causal && ir::isRank(sop);
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

std::optional<SelectorAnalysis::Range>
SelectorAnalysis::rangeOf(const Node *sop, unsigned depth) {
  constexpr unsigned maxDepth = 16;
  if (depth > maxDepth)
    return std::nullopt;
  switch (sop->kind()) {
  case OpKind::Indices:
    // Under the mask, the query is the last that is visible.
    return causal ? Range{{1, -1}, {1, -1}} : Range{{0, 0}, {1, -1}};
  case OpKind::Const: {
    if (!sop->value().isInt() && !sop->value().isBool())
      return std::nullopt;
    double value = sop->value().toDouble();
    if (std::fabs(value) > 1 << 30)
      return std::nullopt;
    return Range{{0, value}, {0, value}};
  }
  case OpKind::Width: {
    if (isRank(sop))
      return Range{{0, 0}, {1, -1}};
    const SelectorFacts &own = facts(sop->operand(0));
    Range range{{0, own.neverEmpty ? 1.0 : 0.0},
                {1, own.neverSelf ? -1.0 : 0.0}};
    if (own.alwaysTrue)
      range.low = range.high;
    if (own.atMostOneKey)
      range.high = {0, 1};
    return range;
  }
  case OpKind::Pos:
    return rangeOf(sop->operand(0), depth + 1);
  case OpKind::Add:
  case OpKind::Sub: {
    if (isRank(sop))
      return Range{{0, 0}, {1, -1}};
    std::optional<Range> a = rangeOf(sop->operand(0), depth + 1);
    std::optional<Range> b = rangeOf(sop->operand(1), depth + 1);
    if (!a || !b)
      return std::nullopt;
    auto plus = [](Bound x, Bound y, double sign) {
      return Bound{x.slope + sign * y.slope, x.offset + sign * y.offset};
    };
    if (sop->kind() == OpKind::Add)
      return Range{plus(a->low, b->low, 1), plus(a->high, b->high, 1)};
    return Range{plus(a->low, b->high, -1), plus(a->high, b->low, -1)};
  }
  default:
    return std::nullopt;
  }
}

bool SelectorAnalysis::isPosition(const Node *sop) {
  std::optional<Range> range = rangeOf(sop, 0);
  // The bounds are affine: what holds of one visible position, and more so of
  // each further one, holds always.
  return range && range->low.slope >= 0 &&
         range->low.slope + range->low.offset >= 0 && range->high.slope <= 1 &&
         range->high.slope + range->high.offset <= 0;
}
