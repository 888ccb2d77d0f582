//===- backend/SelectorFormula.cpp - negation normal form -----------------===//

#include "backend/SelectorFormula.h"

using namespace rasp;
using namespace rasp::backend;

Formula rasp::backend::makeFormula(const ir::Node *selector,
                                   ir::SelectorAnalysis &analysis,
                                   bool negated) {
  Formula formula;
  const ir::SelectorFacts &facts = analysis.facts(selector);
  if (facts.alwaysTrue || facts.alwaysFalse) {
    formula.kind = facts.alwaysTrue != negated ? Formula::True : Formula::False;
    return formula;
  }
  switch (selector->kind()) {
  case ir::OpKind::Select:
    formula.kind = Formula::Compare;
    formula.select = selector;
    formula.negated = negated;
    return formula;
  case ir::OpKind::SelNot:
    return makeFormula(selector->operand(0), analysis, !negated);
  default:
    break;
  }
  bool conjunction = (selector->kind() == ir::OpKind::SelAnd) != negated;
  formula.kind = conjunction ? Formula::And : Formula::Or;
  Formula::Kind neutral = conjunction ? Formula::True : Formula::False;
  Formula::Kind absorbing = conjunction ? Formula::False : Formula::True;
  for (const ir::Node *operand : selector->operands()) {
    Formula part = makeFormula(operand, analysis, negated);
    if (part.kind == absorbing)
      return part;
    if (part.kind == neutral)
      continue;
    if (part.kind == formula.kind)
      for (Formula &inner : part.parts)
        formula.parts.push_back(std::move(inner));
    else
      formula.parts.push_back(std::move(part));
  }
  if (formula.parts.empty())
    formula.kind = neutral;
  if (formula.parts.size() == 1) {
    Formula only = std::move(formula.parts.front());
    return only;
  }
  return formula;
}

void rasp::backend::collectComparisons(
    const Formula &formula, std::vector<const Formula *> &comparisons) {
  if (formula.kind == Formula::Compare)
    comparisons.push_back(&formula);
  for (const Formula &part : formula.parts)
    collectComparisons(part, comparisons);
}
