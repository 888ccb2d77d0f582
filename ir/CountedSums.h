//===- ir/CountedSums.h - means times widths are sums -----------*- C++ -*-===//
//
// A program that wants the sum of what a selector selects multiplies the mean
// by the number of keys, and rounds what the floats have lost:
//
//   round(aggregate(s, x) * selector_width(s))
//
// Pairs of a mean and a width are many; of ints, the sum is much less. Written
// as
//
//   5 * width(s and b5) + 2 * width(s and b2) + ...
//
// with selectors b of the keys whose x has the part 5, the part 2 ... (which
// add up to every value of x that occurs), it needs no division and takes the
// values that sums of ints can take.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_COUNTEDSUMS_H
#define RASP_IR_COUNTEDSUMS_H

#include "ir/Observation.h"
#include "ir/Remarks.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace rasp::ir {

/// For every node that `root` depends on, the one that has the same values on
/// every input over `domain` and counts what can be counted; mostly the node
/// itself. Products of which an operand or the result is `kept` stay. Tells
/// `remarks`, if there are any, what was counted and what was not.
llvm::DenseMap<const Node *, const Node *>
countSums(Program &program, const Node *root, const Domain &domain,
          const llvm::DenseSet<const Node *> &kept, Remarks *remarks = nullptr);

} // namespace rasp::ir

#endif
