//===- backend/FormulaSimplify.h - selectors with less to compare -*- C++
//-*-===//
//
// Rewrites a formula into one that holds for the same keys and queries on every
// input, with fewer comparisons: comparisons of the same s-ops become one, a
// part that follows from another goes, common conjuncts of alternatives become
// conjuncts of the whole. What the values decide counts, not structure alone:
// `select(tokens, "a", ==)` and `select(tokens, "b", ==)` exclude each other.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_FORMULASIMPLIFY_H
#define RASP_BACKEND_FORMULASIMPLIFY_H

#include "backend/FormulaRelations.h"
#include "llvm/ADT/SetVector.h"

namespace rasp::backend {

class FormulaSimplifier {
public:
  explicit FormulaSimplifier(FormulaRelations &relations)
      : relations(relations) {}

  Formula simplify(Formula formula);
  /// What was done, for people.
  llvm::ArrayRef<llvm::StringRef> notes() const {
    return theNotes.getArrayRef();
  }

private:
  Formula simplifyComparison(Formula comparison);
  Formula simplifyParts(Formula formula);
  /// Comparisons of the same s-ops become one.
  bool joinSameOperands(Formula &formula);
  /// In an `or` the stronger of two parts goes, in an `and` the weaker; parts
  /// that exclude (or exhaust) each other decide the whole.
  bool dropImplied(Formula &formula);
  /// (A and B) or (A and C) is A and (B or C).
  bool factorOut(Formula &formula);

  FormulaRelations &relations;
  llvm::SmallSetVector<llvm::StringRef, 4> theNotes;
};

} // namespace rasp::backend

#endif
