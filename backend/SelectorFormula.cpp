//===- backend/SelectorFormula.cpp - negation normal form -----------------===//

#include "backend/SelectorFormula.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

bool Formula::operator==(const Formula &other) const {
  return kind == other.kind && select == other.select &&
         negated == other.negated && parts == other.parts;
}

/// Counts comparisons down from the limit; none when it is reached.
static std::optional<Formula> build(const ir::Node *selector,
                                    ir::SelectorAnalysis &analysis,
                                    bool negated, size_t &budget) {
  Formula formula;
  const ir::SelectorFacts &facts = analysis.facts(selector);
  if (facts.alwaysTrue || facts.alwaysFalse) {
    formula.kind = facts.alwaysTrue != negated ? Formula::True : Formula::False;
    return formula;
  }
  if (budget == 0)
    return std::nullopt;
  --budget;
  switch (selector->kind()) {
  case ir::OpKind::Select:
    formula.kind = Formula::Compare;
    formula.select = selector;
    formula.negated = negated;
    return formula;
  case ir::OpKind::SelNot:
    return build(selector->operand(0), analysis, !negated, budget);
  default:
    break;
  }
  bool conjunction = (selector->kind() == ir::OpKind::SelAnd) != negated;
  formula.kind = conjunction ? Formula::And : Formula::Or;
  Formula::Kind neutral = conjunction ? Formula::True : Formula::False;
  Formula::Kind absorbing = conjunction ? Formula::False : Formula::True;
  auto add = [&](Formula &part) {
    if (!llvm::is_contained(formula.parts, part))
      formula.parts.push_back(std::move(part));
  };
  const ir::Node *previous = nullptr;
  for (const ir::Node *operand : selector->operands()) {
    if (operand == previous)
      continue;
    previous = operand;
    std::optional<Formula> part = build(operand, analysis, negated, budget);
    if (!part || part->kind == absorbing)
      return part;
    if (part->kind == neutral)
      continue;
    if (part->kind == formula.kind)
      for (Formula &inner : part->parts)
        add(inner);
    else
      add(*part);
  }
  if (formula.parts.empty())
    formula.kind = neutral;
  if (formula.parts.size() == 1) {
    Formula only = std::move(formula.parts.front());
    return only;
  }
  return formula;
}

std::optional<Formula>
rasp::backend::makeFormula(const ir::Node *selector,
                           ir::SelectorAnalysis &analysis) {
  size_t budget = maxFormulaSize;
  return build(selector, analysis, false, budget);
}

void rasp::backend::collectComparisons(
    const Formula &formula, std::vector<const Formula *> &comparisons) {
  if (formula.kind == Formula::Compare)
    comparisons.push_back(&formula);
  for (const Formula &part : formula.parts)
    collectComparisons(part, comparisons);
}
