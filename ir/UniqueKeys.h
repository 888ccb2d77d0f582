//===- ir/UniqueKeys.h - selectors with at most one key ---------*- C++ -*-===//
//
// A conjunction that fixes some s-ops of the key (`select(x, q, ==)`, or what
// follows from `select(x == "a" and not y, True, ==)`) selects at most one key
// per query if no two positions agree in all of them. That is so where
//
// * one of them differs at any two positions of an input; or
// * one is the number of earlier (or later) positions that agree in the others:
//   among positions that do, it grows from each to the next; or
// * no earlier (or later, or other) position that agrees in them exists, as for
//   the first instance of a value.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_UNIQUEKEYS_H
#define RASP_IR_UNIQUEKEYS_H

#include "ir/SelectorFacts.h"
#include "llvm/ADT/SetVector.h"

namespace rasp::ir {

class UniqueKeys {
public:
  UniqueKeys(SelectorAnalysis &analysis, bool causal)
      : analysis(analysis), causal(causal) {}

  /// Whether `selector` is shown to select at most one key per query.
  bool holdsFor(const Node *selector);

private:
  /// Takes in what holds of every selected key.
  void addConjuncts(const Node *selector, bool negated);
  /// `sop` is true (or false) at the key.
  void addTruth(const Node *sop, bool truth);
  /// `sop OP value` is true (or false) at the key.
  void addComparison(const Node *sop, CompareOp op, const Value &value,
                     bool truth);
  void fix(const Node *sop, const Value *value);
  /// Whether a selector lets through, for any of the keys, all of them that
  /// stand in one direction of it, and among others the same for all.
  bool ordersKeys(const Node *selector, bool strictly) const;
  /// Whether `key OP query` holds between any two of the keys, and for other
  /// positions does not depend on which of them is the query.
  bool holdsAmongKeys(const Node *select) const;

  SelectorAnalysis &analysis;
  bool causal;
  /// Conditions are short; of long ones only so much is looked at.
  unsigned budget = 256;
  /// What all selected keys of a query agree in; and where it is known, in
  /// which value.
  llvm::SmallSetVector<const Node *, 8> fixed;
  llvm::SmallDenseMap<const Node *, Value> known;
  /// Selectors that select nothing in the rows of the keys.
  llvm::SmallVector<const Node *, 4> empty;
};

} // namespace rasp::ir

#endif
