//===- ir/Quantifiers.h - means that say whether any or all -----*- C++ -*-===//
//
// Of the mean of a condition a program often asks no more than whether the
// condition holds at any of the selected keys, or at all of them:
//
//   aggregate(s, indicator(a or b)) > 0
//   aggregate(s, indicator(a and b)) == 1
//
// The sum of `a` and `b` tells that as well, and need not be computed from both
// before it is averaged:
//
//   aggregate(s, indicator(a) + indicator(b)) > 0
//   aggregate(s, indicator(a) + indicator(b)) == 2
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_QUANTIFIERS_H
#define RASP_IR_QUANTIFIERS_H

#include "ir/Remarks.h"
#include "llvm/ADT/DenseMap.h"

namespace rasp::ir {

/// For every node that `root` depends on, the one that takes its place when
/// conditions are averaged part by part, one part for each set of aggregates
/// and widths that they are functions of. All but such means and what they
/// average have the same values on every input. What is `kept` stays. Tells
/// `remarks`, if there are any.
llvm::DenseMap<const Node *, const Node *>
splitQuantifiers(Program &program, const Node *root,
                 const llvm::DenseSet<const Node *> &kept,
                 Remarks *remarks = nullptr);

} // namespace rasp::ir

#endif
