//===- ir/Mean.h - exact sums and correctly rounded quotients ---*- C++ -*-===//
//
// The language defines the mean of several selected values as the exact sum
// divided by the count, rounded once to the nearest double (ties to even). So
// the mean does not depend on the order of the values, and one computed from
// exact rationals is the same double as one computed here.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_MEAN_H
#define RASP_IR_MEAN_H

#include "ir/Value.h"
#include "llvm/ADT/ArrayRef.h"

namespace rasp::ir {

/// `numerator / denominator`, correctly rounded; the denominator isn't zero.
double quotient(__int128 numerator, int64_t denominator);

/// The mean of bools, ints and finite floats, at least one.
double mean(llvm::ArrayRef<Value> numbers);

/// For many means over the same numbers: writes each as an integer multiple of
/// a common power of two and returns that power's exponent; none if 64 bits do
/// not suffice.
std::optional<int> toFixedPoint(llvm::ArrayRef<Value> numbers,
                                llvm::MutableArrayRef<int64_t> significands);
/// `sum * 2^exponent / count`, correctly rounded.
double scaledMean(__int128 sum, int64_t count, int exponent);

} // namespace rasp::ir

#endif
