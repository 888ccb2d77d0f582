//===- ir/Ranks.h - positions in a sorted order -----------------*- C++ -*-===//

#ifndef RASP_IR_RANKS_H
#define RASP_IR_RANKS_H

#include "ir/Program.h"

namespace rasp::ir {

/// Whether, without a causal mask, `sop` is the rank of each position in a
/// strict total order, and so a permutation of 0..length-1: a sum of widths
/// (or the width of a disjunction) of
///
///   x < x,   x == x and y < y,   x == x and y == y and z < z,   ...
///
/// where the last order is that of `indices`; `>` is as good as `<`.
bool isRank(const Node *sop);

} // namespace rasp::ir

#endif
