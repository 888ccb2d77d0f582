//===- ir/UniqueKeys.cpp - selectors with at most one key -----------------===//

#include "ir/UniqueKeys.h"
#include "ir/Elementwise.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

static CompareOp opposite(CompareOp op) {
  switch (op) {
  case CompareOp::Eq:
    return CompareOp::Ne;
  case CompareOp::Ne:
    return CompareOp::Eq;
  case CompareOp::Lt:
    return CompareOp::Ge;
  case CompareOp::Gt:
    return CompareOp::Le;
  case CompareOp::Le:
    return CompareOp::Gt;
  case CompareOp::Ge:
    return CompareOp::Lt;
  }
  llvm_unreachable("all comparisons are listed");
}

/// The comparison with its sides exchanged.
static CompareOp mirrored(CompareOp op) {
  switch (op) {
  case CompareOp::Eq:
  case CompareOp::Ne:
    return op;
  case CompareOp::Lt:
    return CompareOp::Gt;
  case CompareOp::Gt:
    return CompareOp::Lt;
  case CompareOp::Le:
    return CompareOp::Ge;
  case CompareOp::Ge:
    return CompareOp::Le;
  }
  llvm_unreachable("all comparisons are listed");
}

static std::optional<CompareOp> comparisonOf(OpKind kind) {
  switch (kind) {
  case OpKind::Eq:
    return CompareOp::Eq;
  case OpKind::Ne:
    return CompareOp::Ne;
  case OpKind::Lt:
    return CompareOp::Lt;
  case OpKind::Gt:
    return CompareOp::Gt;
  case OpKind::Le:
    return CompareOp::Le;
  case OpKind::Ge:
    return CompareOp::Ge;
  default:
    return std::nullopt;
  }
}

static bool holds(CompareOp op, const Value &a, const Value &b) {
  EvalResult result = compare(op, a, b);
  return result && result.value.isTruthy();
}

//===----------------------------------------------------------------------===//
// What holds of the keys
//===----------------------------------------------------------------------===//

void UniqueKeys::addConjuncts(const Node *selector, bool negated) {
  if (budget == 0)
    return;
  --budget;
  switch (selector->kind()) {
  case OpKind::SelNot:
    return addConjuncts(selector->operand(0), !negated);
  case OpKind::SelAnd:
  case OpKind::SelOr:
    if ((selector->kind() == OpKind::SelAnd) != negated)
      for (const Node *operand : selector->operands())
        addConjuncts(operand, negated);
    return;
  case OpKind::Select: {
    const Node *key = selector->operand(0), *query = selector->operand(1);
    CompareOp op = selector->compare();
    if (query->kind() == OpKind::Const)
      addComparison(key, op, query->value(), !negated);
    else if ((negated ? opposite(op) : op) == CompareOp::Eq)
      fix(key, nullptr);
    return;
  }
  default:
    llvm_unreachable("selectors only");
  }
}

void UniqueKeys::fix(const Node *sop, const Value *value) {
  fixed.insert(sop);
  if (!value)
    return;
  known.try_emplace(sop, *value);
  if (sop->kind() == OpKind::Width &&
      holds(CompareOp::Eq, *value, Value::integer(0)))
    empty.push_back(sop->operand(0));
}

void UniqueKeys::addTruth(const Node *sop, bool truth) {
  if (budget == 0)
    return;
  --budget;
  switch (sop->kind()) {
  case OpKind::Not:
    return addTruth(sop->operand(0), !truth);
  case OpKind::Indicator:
    return addTruth(sop->operand(0), truth);
  case OpKind::And:
  case OpKind::Or:
    if ((sop->kind() == OpKind::And) == truth)
      for (const Node *operand : sop->operands())
        addTruth(operand, truth);
    return;
  default:
    break;
  }
  std::optional<CompareOp> op = comparisonOf(sop->kind());
  if (!op)
    return;
  const Node *a = sop->operand(0), *b = sop->operand(1);
  if (b->kind() == OpKind::Const)
    addComparison(a, *op, b->value(), truth);
  else if (a->kind() == OpKind::Const)
    addComparison(b, mirrored(*op), a->value(), truth);
}

void UniqueKeys::addComparison(const Node *sop, CompareOp op,
                               const Value &value, bool truth) {
  if (budget == 0)
    return;
  --budget;
  if ((truth ? op : opposite(op)) == CompareOp::Eq)
    fix(sop, &value);
  // Whether the comparison comes out as it should for a value of `sop`.
  auto admits = [&](const Value &own) {
    return holds(op, own, value) == truth;
  };
  switch (sop->kind()) {
  case OpKind::Width:
    // What excludes 1 on the side away from 0 excludes all that is larger.
    if (admits(Value::integer(0)) && !admits(Value::integer(1)) &&
        op != CompareOp::Eq && op != CompareOp::Ne)
      empty.push_back(sop->operand(0));
    return;
  case OpKind::Aggregate:
    // The mean of equal numbers is that number.
    if (const Node *moved = sop->operand(1); moved->kind() == OpKind::Const &&
                                             moved->value().isNumeric() &&
                                             !admits(moved->value()))
      empty.push_back(sop->operand(0));
    return;
  case OpKind::Not:
  case OpKind::Indicator:
  case OpKind::And:
  case OpKind::Or:
  case OpKind::Eq:
  case OpKind::Ne:
  case OpKind::Lt:
  case OpKind::Gt:
  case OpKind::Le:
  case OpKind::Ge: {
    // Of the two truths one may be left.
    bool one = admits(Value::integer(1)), zero = admits(Value::integer(0));
    if (one != zero)
      addTruth(sop, one);
    return;
  }
  default:
    return;
  }
}

//===----------------------------------------------------------------------===//
// Whether two keys can agree
//===----------------------------------------------------------------------===//

bool UniqueKeys::holdsAmongKeys(const Node *select) const {
  const Node *key = select->operand(0), *query = select->operand(1);
  CompareOp op = select->compare();
  auto valueOf = [&](const Node *sop) -> const Value * {
    if (sop->kind() == OpKind::Const)
      return &sop->value();
    auto it = known.find(sop);
    return it == known.end() ? nullptr : &it->second;
  };
  if (query->kind() != OpKind::Const && !fixed.contains(query))
    return false;
  if (key == query)
    return op == CompareOp::Eq || op == CompareOp::Le || op == CompareOp::Ge;
  const Value *a = valueOf(key), *b = valueOf(query);
  return a && b && holds(op, *a, *b);
}

bool UniqueKeys::ordersKeys(const Node *selector, bool strictly) const {
  llvm::SmallVector<const Node *, 8> work{selector};
  std::optional<CompareOp> order;
  for (size_t i = 0; i < work.size(); ++i) {
    const Node *node = work[i];
    constexpr size_t maxConjuncts = 32;
    if (work.size() > maxConjuncts)
      return false;
    if (node->kind() == OpKind::SelAnd) {
      work.append(node->operands().begin(), node->operands().end());
    } else if (node->kind() != OpKind::Select) {
      return false;
    } else if (node->operand(0)->kind() == OpKind::Const &&
               node->operand(1)->kind() == OpKind::Const) {
      if (!analysis.facts(node).alwaysTrue)
        return false;
    } else if (node->operand(0)->kind() == OpKind::Indices &&
               node->operand(1)->kind() == OpKind::Indices) {
      if (order && *order != node->compare())
        return false;
      order = node->compare();
    } else if (!holdsAmongKeys(node)) {
      return false;
    }
  }
  // Under the mask nothing behind the query is there.
  if (!order)
    return causal && !strictly;
  switch (*order) {
  case CompareOp::Lt:
    return true;
  case CompareOp::Le:
    return !strictly;
  case CompareOp::Gt:
    return !causal;
  case CompareOp::Ge:
    return !causal && !strictly;
  case CompareOp::Ne:
    return strictly || causal;
  case CompareOp::Eq:
    return false;
  }
  llvm_unreachable("all comparisons are listed");
}

bool UniqueKeys::holdsFor(const Node *selector) {
  addConjuncts(selector, false);
  return llvm::any_of(fixed,
                      [&](const Node *sop) {
                        return analysis.isInjective(sop) ||
                               (sop->kind() == OpKind::Width &&
                                ordersKeys(sop->operand(0), false));
                      }) ||
         llvm::any_of(empty,
                      [&](const Node *none) { return ordersKeys(none, true); });
}
