//===- backend/Profile.h - piecewise-linear functions of a scalar -*- C++
//-*-===//
//
// A function on finitely many points of a scalar, as one hidden ReLU layer:
//
//   y = constant + linear * x + sum of weight * relu(slope * x + offset)
//
// Three constructions, all exact at the points:
//
// * interpolation: a unit per bend of the polygon through the points. Errors
//   of x are multiplied by the slope.
// * steps: flat at the points, two units per change of y. A unit pair rises
//   over the middle of the gap, so x may be wrong by a quarter of the gap.
// * width: x = 1/(w+1). The units relu(2 - 2jx) have their bends at w = j - 1;
//   with h(w) = (w+1)(g(w) - g(0))/2 the weight of unit j is the second
//   difference h(j) - 2h(j-1) + h(j-2), since relu(2 - 2j/(w+1)) =
//   2(w+1-j)/(w+1) for w >= j. All functions of one width share their units;
//   for g(w) = w every weight is 1.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_PROFILE_H
#define RASP_BACKEND_PROFILE_H

#include "llvm/ADT/ArrayRef.h"
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace rasp::backend {

struct ProfileUnit {
  double slope, offset, weight;
};

struct Profile {
  double constant = 0;
  double linear = 0;
  std::vector<ProfileUnit> units;
  /// Bound on the error of y at the points, rounding of the units included.
  double error = 0;
  /// Where y is 0 all units are off, with a margin that covers the error of x.
  bool exactZero = false;
  /// Flat at the points: y does not change with small errors of x.
  bool steps = false;
  /// The error of x, and what a step profile tolerates of it with its own
  /// rounding taken off.
  double inputError = 0;
  std::optional<double> inputTolerance;
};

/// How x is computed: a sum of products, known up to `error`.
struct Axis {
  double error = 0;
  double unitRoundoff = 0x1p-24;
  unsigned terms = 1;      ///< with the constant, if there is one
  unsigned directions = 1; ///< without
  /// What the sizes of several terms add up to, which may be more than that of
  /// their sum.
  double magnitude = 0;
  /// More error, as a share of x.
  double relativeError = 0;
  /// Whether all weights are powers of two, so that products are not rounded.
  bool exactProducts = false;

  double sizeAt(double x) const { return std::max(std::fabs(x), magnitude); }
  double errorAt(double x) const {
    return error + relativeError * std::fabs(x);
  }
};

/// A point of the function; `x` ascending.
struct ProfilePoint {
  double x, y;
};

/// The cheapest profile through the points; none if one x has two values.
/// Without `allowLinear` the linear part is a unit. A `clean` one consists of
/// steps, if the error of x lets it.
std::optional<Profile> makeProfile(llvm::ArrayRef<ProfilePoint> points,
                                   const Axis &axis, bool allowLinear,
                                   bool clean = false);

/// Two units that are 1 on one side of a gap between points and 0 on the other,
/// there exactly. The first alone is at least 1 where both are.
struct Step {
  ProfileUnit first, second;
  /// The error of x at the gap, and what would do.
  double inputError = 0, inputTolerance = 0;

  /// Bound on the error at a point.
  double errorAt(double x, const Axis &axis) const;
};

/// A step between the points `at - 1` and `at` of those at `xs`, ascending: 1
/// above if it rises, else below. None if the error of x is too large. Offsets
/// are short numbers, so that the units are nearly free of rounding beside the
/// gap.
std::optional<Step> makeStep(llvm::ArrayRef<double> xs, size_t at, bool rises,
                             const Axis &axis);
/// Which step has the smaller units: the one whose side of 1 is shorter.
bool risesNaturally(llvm::ArrayRef<double> xs, size_t at);

/// A profile of x = 1/(w+1), through `values[w - firstWidth]` at width w.
Profile makeWidthProfile(llvm::ArrayRef<double> values, unsigned firstWidth,
                         double error, double unitRoundoff);

} // namespace rasp::backend

#endif
