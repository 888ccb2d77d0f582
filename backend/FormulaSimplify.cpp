//===- backend/FormulaSimplify.cpp - selectors with less to compare -------===//

#include "backend/FormulaSimplify.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

Formula FormulaSimplifier::simplify(Formula formula) {
  switch (formula.kind) {
  case Formula::True:
  case Formula::False:
    return formula;
  case Formula::Compare:
    return simplifyComparison(std::move(formula));
  case Formula::And:
  case Formula::Or:
    break;
  }
  Formula::Kind kind = formula.kind;
  for (Formula &part : formula.parts)
    part = simplify(std::move(part));
  return simplifyParts(join(kind, std::move(formula.parts)));
}

Formula FormulaSimplifier::simplifyComparison(Formula comparison) {
  Formula constant;
  if (relations.alwaysTrue(comparison))
    constant.kind = Formula::True;
  else if (relations.alwaysFalse(comparison))
    constant.kind = Formula::False;
  else
    return comparison;
  theNotes.insert("constant part dropped");
  return constant;
}

Formula FormulaSimplifier::simplifyParts(Formula formula) {
  // Every change takes a comparison away.
  while (formula.kind == Formula::And || formula.kind == Formula::Or)
    if (!joinSameOperands(formula) && !dropImplied(formula) &&
        !factorOut(formula))
      break;
  return formula;
}

bool FormulaSimplifier::joinSameOperands(Formula &formula) {
  std::vector<Formula> joined;
  bool changed = false;
  for (Formula &part : formula.parts) {
    auto same = llvm::find_if(joined, [&](const Formula &other) {
      return sameOperands(part, other);
    });
    if (same == joined.end()) {
      joined.push_back(std::move(part));
      continue;
    }
    *same = joinComparisons(formula.kind, *same, part);
    changed = true;
  }
  if (changed)
    theNotes.insert("comparisons of the same operands joined");
  for (Formula &part : joined)
    if (changed && part.kind == Formula::Compare)
      part = simplifyComparison(std::move(part));
  formula = join(formula.kind, std::move(joined));
  return changed;
}

bool FormulaSimplifier::dropImplied(Formula &formula) {
  std::vector<Formula> &parts = formula.parts;
  // The search is quadratic; longer formulas come from loops over values.
  constexpr size_t maxParts = 64;
  if (parts.size() > maxParts)
    return false;
  bool isAnd = formula.kind == Formula::And;
  for (size_t i = 0; i < parts.size(); ++i)
    for (size_t j = 0; j < parts.size(); ++j) {
      if (i == j)
        continue;
      bool decided = i < j && (isAnd ? relations.exclude(parts[i], parts[j])
                                     : relations.exclude(negate(parts[i]),
                                                         negate(parts[j])));
      if (decided) {
        theNotes.insert(isAnd ? "parts exclude each other"
                              : "parts leave nothing out");
        formula = Formula();
        formula.kind = isAnd ? Formula::False : Formula::True;
        return true;
      }
      if (!relations.implies(parts[i], parts[j]))
        continue;
      theNotes.insert("implied part dropped");
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(isAnd ? j : i));
      formula = join(formula.kind, std::move(parts));
      return true;
    }
  return false;
}

/// The conjuncts of a part of an `or`.
static llvm::ArrayRef<Formula> conjunctsOf(const Formula &part) {
  if (part.kind == Formula::And)
    return part.parts;
  return part;
}

bool FormulaSimplifier::factorOut(Formula &formula) {
  if (formula.kind != Formula::Or)
    return false;
  std::vector<Formula> common;
  for (const Formula &conjunct : conjunctsOf(formula.parts.front()))
    if (llvm::all_of(formula.parts, [&](const Formula &part) {
          return llvm::is_contained(conjunctsOf(part), conjunct);
        }))
      common.push_back(conjunct);
  if (common.empty())
    return false;
  std::vector<Formula> rests;
  for (const Formula &part : formula.parts) {
    std::vector<Formula> rest;
    for (const Formula &conjunct : conjunctsOf(part))
      if (!llvm::is_contained(common, conjunct))
        rest.push_back(conjunct);
    rests.push_back(join(Formula::And, std::move(rest)));
  }
  theNotes.insert("common conjunct factored out");
  common.push_back(simplifyParts(join(Formula::Or, std::move(rests))));
  formula = join(Formula::And, std::move(common));
  return true;
}
