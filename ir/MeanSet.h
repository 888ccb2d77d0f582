//===- ir/MeanSet.h - means too many to be listed ---------------*- C++ -*-===//
//
// The means of up to n numbers from a set soon are too many to be listed, but
// they are fractions with small denominators: two of them differ by 1/n^2 of a
// step at least, and what lies next to a given number is found by looking at
// each denominator. A step function is decided by such neighbours alone.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_MEANSET_H
#define RASP_IR_MEANSET_H

#include "ir/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <vector>

namespace rasp::ir {

/// All `(low * count + unit * step) / count * 2^exponent`, rounded to doubles,
/// with `count` up to `maxCount` and `step` up to `steps * count`.
class MeanSet {
public:
  /// A set that holds all means of up to `maxCount` of the numbers; none if
  /// they are not multiples of one step that is worth its name.
  static std::optional<MeanSet> of(llvm::ArrayRef<Value> numbers,
                                   unsigned maxCount);

  double low() const { return at(0, 1); }
  double high() const { return at(steps, 1); }
  /// No two elements are closer.
  double smallestGap() const;
  /// The elements within `slack` of `number`, and the nearest ones beyond on
  /// both sides. `slack` is less than a quarter of the smallest gap.
  std::vector<double> around(double number, double slack) const;

private:
  double at(uint64_t step, unsigned count) const;

  int64_t base = 0, unit = 1;
  uint64_t steps = 0;
  int exponent = 0;
  unsigned maxCount = 1;
};

} // namespace rasp::ir

#endif
