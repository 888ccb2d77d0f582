//===- backend/FormulaRelations.h - what follows from what ------*- C++ -*-===//
//
// Whether two formulas exclude or imply each other on every pair of key and
// query: by structure where that shows it, else by trying the values that their
// s-ops take together.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_FORMULARELATIONS_H
#define RASP_BACKEND_FORMULARELATIONS_H

#include "backend/SelectorFormula.h"
#include "ir/ValueSets.h"

namespace rasp::backend {

class FormulaRelations {
public:
  explicit FormulaRelations(ir::ValueSets &sets) : sets(sets) {}

  /// No key and query satisfy both. All answers are false if it is not known.
  bool exclude(const Formula &a, const Formula &b);
  /// `a` holds only where `b` does.
  bool implies(const Formula &a, const Formula &b);
  bool alwaysTrue(const Formula &comparison);
  bool alwaysFalse(const Formula &comparison);

private:
  bool neverHolds(const Formula &formula);

  ir::ValueSets &sets;
  /// How often values may still be tried.
  unsigned tries = 512;
};

/// Whether two formulas are comparisons of the same s-ops.
bool sameOperands(const Formula &a, const Formula &b);

} // namespace rasp::backend

#endif
