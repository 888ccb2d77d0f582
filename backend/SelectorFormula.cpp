//===- backend/SelectorFormula.cpp - negation normal form -----------------===//

#include "backend/SelectorFormula.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

bool Formula::operator==(const Formula &other) const {
  return kind == other.kind && key == other.key && query == other.query &&
         (kind != Compare || op == other.op) && parts == other.parts;
}

//===----------------------------------------------------------------------===//
// Comparisons as sets of orders
//===----------------------------------------------------------------------===//

namespace {
/// Of two numbers or two strings exactly one of these holds.
enum Order : unsigned { Less = 1, Equal = 2, Greater = 4, AnyOrder = 7 };
} // namespace

static unsigned ordersOf(ir::CompareOp op) {
  switch (op) {
  case ir::CompareOp::Eq:
    return Equal;
  case ir::CompareOp::Ne:
    return Less | Greater;
  case ir::CompareOp::Lt:
    return Less;
  case ir::CompareOp::Gt:
    return Greater;
  case ir::CompareOp::Le:
    return Less | Equal;
  case ir::CompareOp::Ge:
    return Greater | Equal;
  }
  llvm_unreachable("all comparisons are listed");
}

static ir::CompareOp opOf(unsigned orders) {
  for (ir::CompareOp op :
       {ir::CompareOp::Eq, ir::CompareOp::Ne, ir::CompareOp::Lt,
        ir::CompareOp::Gt, ir::CompareOp::Le, ir::CompareOp::Ge})
    if (ordersOf(op) == orders)
      return op;
  llvm_unreachable("no order and every order are no comparisons");
}

Formula rasp::backend::joinComparisons(Formula::Kind kind, const Formula &a,
                                       const Formula &b) {
  assert(a.key == b.key && a.query == b.query);
  unsigned orders = kind == Formula::And ? ordersOf(a.op) & ordersOf(b.op)
                                         : ordersOf(a.op) | ordersOf(b.op);
  Formula result;
  if (orders == 0 || orders == AnyOrder) {
    result.kind = orders == 0 ? Formula::False : Formula::True;
    return result;
  }
  result = a;
  result.op = opOf(orders);
  return result;
}

Formula rasp::backend::negate(Formula formula) {
  switch (formula.kind) {
  case Formula::True:
    formula.kind = Formula::False;
    break;
  case Formula::False:
    formula.kind = Formula::True;
    break;
  case Formula::Compare:
    formula.op = opOf(AnyOrder & ~ordersOf(formula.op));
    break;
  case Formula::And:
  case Formula::Or:
    formula.kind = formula.kind == Formula::And ? Formula::Or : Formula::And;
    for (Formula &part : formula.parts)
      part = negate(std::move(part));
    break;
  }
  return formula;
}

//===----------------------------------------------------------------------===//
// Making formulas
//===----------------------------------------------------------------------===//

Formula rasp::backend::join(Formula::Kind kind, std::vector<Formula> parts) {
  Formula::Kind neutral = kind == Formula::And ? Formula::True : Formula::False;
  Formula::Kind absorbing =
      kind == Formula::And ? Formula::False : Formula::True;
  Formula result;
  result.kind = kind;
  auto add = [&](Formula &part) {
    if (!llvm::is_contained(result.parts, part))
      result.parts.push_back(std::move(part));
  };
  for (Formula &part : parts) {
    if (part.kind == absorbing)
      return std::move(part);
    if (part.kind == kind)
      for (Formula &inner : part.parts)
        add(inner);
    else if (part.kind != neutral)
      add(part);
  }
  if (result.parts.empty())
    result.kind = neutral;
  if (result.parts.size() == 1) {
    Formula only = std::move(result.parts.front());
    return only;
  }
  return result;
}

/// Counts comparisons down from the limit; none when it is reached.
static std::optional<Formula> build(const ir::Node *selector,
                                    ir::SelectorAnalysis &analysis,
                                    size_t &budget) {
  Formula formula;
  const ir::SelectorFacts &facts = analysis.facts(selector);
  if (facts.alwaysTrue || facts.alwaysFalse) {
    formula.kind = facts.alwaysTrue ? Formula::True : Formula::False;
    return formula;
  }
  if (budget == 0)
    return std::nullopt;
  --budget;
  if (selector->kind() == ir::OpKind::Select) {
    formula.kind = Formula::Compare;
    formula.key = selector->operand(0);
    formula.query = selector->operand(1);
    formula.op = selector->compare();
    formula.select = selector;
    return formula;
  }
  std::vector<Formula> parts;
  const ir::Node *previous = nullptr;
  for (const ir::Node *operand : selector->operands()) {
    if (operand == previous)
      continue;
    previous = operand;
    std::optional<Formula> part = build(operand, analysis, budget);
    if (!part)
      return std::nullopt;
    parts.push_back(std::move(*part));
  }
  if (selector->kind() == ir::OpKind::SelNot)
    return negate(std::move(parts.front()));
  return join(selector->kind() == ir::OpKind::SelAnd ? Formula::And
                                                     : Formula::Or,
              std::move(parts));
}

std::optional<Formula>
rasp::backend::makeFormula(const ir::Node *selector,
                           ir::SelectorAnalysis &analysis) {
  size_t budget = maxFormulaSize;
  return build(selector, analysis, budget);
}

void rasp::backend::collectComparisons(
    const Formula &formula, std::vector<const Formula *> &comparisons) {
  if (formula.kind == Formula::Compare)
    comparisons.push_back(&formula);
  for (const Formula &part : formula.parts)
    collectComparisons(part, comparisons);
}

FormulaOperands rasp::backend::operandsOf(const Formula &formula) {
  FormulaOperands operands;
  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  for (const Formula *comparison : comparisons) {
    if (comparison->key->kind() != ir::OpKind::Const)
      operands.keys.insert(comparison->key);
    if (comparison->query->kind() != ir::OpKind::Const)
      operands.queries.insert(comparison->query);
  }
  return operands;
}
