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
#include "llvm/ADT/SetVector.h"
#include <optional>
#include <vector>

namespace rasp::backend {

struct Formula {
  enum Kind : uint8_t { True, False, Compare, And, Or };
  Kind kind = True;
  /// Compare: `key OP query`, and the selector that it comes from.
  const ir::Node *key = nullptr, *query = nullptr;
  ir::CompareOp op = ir::CompareOp::Eq;
  const ir::Node *select = nullptr;
  std::vector<Formula> parts; ///< And, Or: at least two

  /// The same comparisons, joined in the same way.
  bool operator==(const Formula &other) const;
};

/// What holds where `formula` does not. (Strings and numbers do not compare as
/// `<` does: there, neither holds, and the program has no result.)
Formula negate(Formula formula);

/// `parts` joined by `kind`, And or Or: nested parts of the same kind become
/// parts, what is constant or repeated goes.
Formula join(Formula::Kind kind, std::vector<Formula> parts);

/// The comparison that holds where both (or either) of two hold that compare
/// the same s-ops.
Formula joinComparisons(Formula::Kind kind, const Formula &a, const Formula &b);

/// The formula of a selector. Parts that `analysis` proves constant are gone,
/// and so is what an `and` or `or` repeats. None if it has more than
/// `maxFormulaSize` comparisons: a formula is a tree, a selector need not be.
std::optional<Formula> makeFormula(const ir::Node *selector,
                                   ir::SelectorAnalysis &analysis);
inline constexpr size_t maxFormulaSize = 4096;

/// The comparisons of a formula, left to right; the pointers are into it.
void collectComparisons(const Formula &formula,
                        std::vector<const Formula *> &comparisons);

using NodeSet = llvm::SmallSetVector<const ir::Node *, 4>;
/// The s-ops, constants aside, that give the keys and those that give the
/// queries.
struct FormulaOperands {
  NodeSet keys, queries;
};
FormulaOperands operandsOf(const Formula &formula);

} // namespace rasp::backend

#endif
