//===- backend/SelectorFormula.h - selectors in negation normal form -*- C++
//-*-===//
//
// A selector as and/or over comparisons, with negations pushed into them and
// nested ands and ors flattened.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_SELECTORFORMULA_H
#define RASP_BACKEND_SELECTORFORMULA_H

#include "ir/SelectorFacts.h"
#include <optional>
#include <vector>

namespace rasp::backend {

struct Formula {
  enum Kind : uint8_t { True, False, Compare, And, Or };
  Kind kind = True;
  /// Compare: `key OP query`, negated if asked for. A negated comparison is
  /// not the comparison with the opposite operator where kinds do not compare.
  const ir::Node *select = nullptr;
  bool negated = false;
  std::vector<Formula> parts; ///< And, Or: at least two

  /// The same comparisons, joined in the same way.
  bool operator==(const Formula &other) const;

  const ir::Node *key() const { return select->operand(0); }
  const ir::Node *query() const { return select->operand(1); }
};

/// The formula of a selector. Parts that `analysis` proves constant are gone,
/// and so is what an `and` or `or` repeats. None if it has more than
/// `maxFormulaSize` comparisons: a formula is a tree, a selector need not be.
std::optional<Formula> makeFormula(const ir::Node *selector,
                                   ir::SelectorAnalysis &analysis);
inline constexpr size_t maxFormulaSize = 4096;

/// The comparisons of a formula, left to right.
void collectComparisons(const Formula &formula,
                        std::vector<const Formula *> &comparisons);

} // namespace rasp::backend

#endif
