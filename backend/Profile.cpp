//===- backend/Profile.cpp - piecewise-linear functions of a scalar -------===//

#include "backend/Profile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <functional>

using namespace rasp::backend;

static double valueOf(const ProfileUnit &unit, double x) {
  return unit.weight * std::max(0.0, unit.slope * x + unit.offset);
}

namespace {
/// What weighted slopes and offsets of units add up to, and their sizes.
struct UnitSums {
  double slopes = 0, offsets = 0, slopeSizes = 0, offsetSizes = 0, count = 0;

  void add(const ProfileUnit &unit) {
    double weight = std::fabs(unit.weight);
    add({weight * unit.slope, weight * unit.offset,
         weight * std::fabs(unit.slope), weight * std::fabs(unit.offset), 1});
  }
  void add(const UnitSums &other) {
    slopes += other.slopes;
    offsets += other.offsets;
    slopeSizes += other.slopeSizes;
    offsetSizes += other.offsetSizes;
    count += other.count;
  }
};
} // namespace

/// At each point, sums over the units that are on there: those with an input of
/// at least minus `share` of their offset. A unit is on from some point on, or
/// up to one, so a pass each way finds all sums.
static std::vector<UnitSums> sumsAt(llvm::ArrayRef<ProfileUnit> units,
                                    llvm::ArrayRef<ProfilePoint> points,
                                    double share) {
  std::vector<UnitSums> sums(points.size()), falling(points.size());
  for (const ProfileUnit &unit : units) {
    auto isOn = [&](const ProfilePoint &point) {
      return unit.slope * point.x + unit.offset >=
             -share * std::fabs(unit.offset);
    };
    if (unit.slope > 0) {
      auto first = llvm::partition_point(points, std::not_fn(isOn));
      if (first != points.end())
        sums[static_cast<size_t>(first - points.begin())].add(unit);
    } else {
      auto end = llvm::partition_point(points, isOn);
      if (end != points.begin())
        falling[static_cast<size_t>(end - points.begin()) - 1].add(unit);
    }
  }
  for (size_t i = 1; i < points.size(); ++i)
    sums[i].add(sums[i - 1]);
  for (size_t i = points.size(); i-- > 0;) {
    if (i + 1 < points.size())
      falling[i].add(falling[i + 1]);
    sums[i].add(falling[i]);
  }
  return sums;
}

/// Sums that overflow and cancel are no numbers; nothing is known then.
static double largerBound(double worst, double bound) {
  return std::isnan(bound) ? HUGE_VAL : std::max(worst, bound);
}

/// Largest rounding error over the points, for any order of summation. What is
/// rounded has the error of x as well. Of a unit that is on, `slope * x +
/// offset` is rounded, once per term's product, per addition and for the
/// weight; units that are hardly off may be on by that.
static double roundingAt(const Profile &profile,
                         llvm::ArrayRef<ProfilePoint> points,
                         const Axis &axis) {
  std::vector<UnitSums> active = sumsAt(profile.units, points, 1e-3);
  std::vector<UnitSums> positive = sumsAt(profile.units, points, 0);
  double worst = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    double x = points[i].x, error = axis.errorAt(x);
    const UnitSums &on = active[i], &sum = positive[i];
    double inputs = on.slopeSizes * (axis.sizeAt(x) + error) + on.offsetSizes;
    // The sums of slopes and offsets may cancel, and are rounded themselves.
    double values = sum.slopes * x + sum.offsets +
                    0x1p-52 * (sum.count + 2) *
                        (sum.slopeSizes * std::fabs(x) + sum.offsetSizes);
    worst = largerBound(
        worst, axis.unitRoundoff *
                   ((axis.terms + 2) * inputs +
                    (on.count + 1) * (values + on.slopeSizes * error)));
  }
  return worst;
}

/// Whether all the unit inputs and partial sums are integers that the
/// significand holds, so that nothing is rounded.
static bool isExactInteger(const Profile &profile,
                           llvm::ArrayRef<ProfilePoint> points,
                           const Axis &axis) {
  auto integral = [](double d) { return d == std::floor(d); };
  double limit = 0.5 / axis.unitRoundoff;
  for (const ProfilePoint &point : points) {
    if (!integral(point.x))
      return false;
    double total = std::fabs(profile.linear * point.x);
    for (const ProfileUnit &unit : profile.units) {
      if (!integral(unit.slope) || !integral(unit.offset) ||
          !integral(unit.weight))
        return false;
      total += std::fabs(unit.slope) * axis.sizeAt(point.x) +
               std::fabs(unit.offset) + std::fabs(valueOf(unit, point.x));
    }
    if (total > limit)
      return false;
  }
  return true;
}

static Profile interpolate(llvm::ArrayRef<ProfilePoint> points,
                           const Axis &axis, bool allowLinear) {
  Profile profile;
  double slope = (points[1].y - points[0].y) / (points[1].x - points[0].x);
  if (allowLinear) {
    profile.linear = slope;
    profile.constant = points[0].y - slope * points[0].x;
  } else {
    profile.constant = points[0].y;
    if (slope != 0)
      profile.units.push_back({1, -points[0].x, slope});
  }
  auto errorBetween = [&](size_t i, size_t j) {
    return axis.errorAt(
        std::max(std::fabs(points[i].x), std::fabs(points[j].x)));
  };
  double handedOn = std::fabs(slope) * errorBetween(0, 1);
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    double next =
        (points[i + 1].y - points[i].y) / (points[i + 1].x - points[i].x);
    // Collinear points have slopes that differ by rounding alone.
    if (std::fabs(next - slope) >
        1e-12 * (std::fabs(next) + std::fabs(slope))) {
      profile.units.push_back({1, -points[i].x, next - slope});
      slope = next;
    }
    handedOn = std::max(handedOn, std::fabs(slope) * errorBetween(i, i + 1));
  }
  // The units alone have slopes that differ from y's by the linear part.
  double worst = errorBetween(0, points.size() - 1);
  profile.error = handedOn + std::fabs(profile.linear) * worst;
  if (worst != 0 || !isExactInteger(profile, points, axis))
    profile.error += roundingAt(profile, points, axis);
  return profile;
}

static std::optional<Profile> steps(llvm::ArrayRef<ProfilePoint> points,
                                    const Axis &axis) {
  Profile profile;
  profile.constant = points[0].y;
  double first = points.front().x, last = points.back().x;
  size_t changes = 0;
  for (size_t i = 0; i + 1 < points.size(); ++i)
    changes += points[i].y != points[i + 1].y;
  // A single step can face away from the side where y is 0.
  bool zeroLeft = changes == 1 && points.front().y == 0;
  bool zeroRight = changes == 1 && points.back().y == 0;
  profile.exactZero = zeroLeft || zeroRight;
  profile.steps = true;
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    double change = points[i + 1].y - points[i].y;
    if (change == 0)
      continue;
    double gap = points[i + 1].x - points[i].x;
    // A slope that is a power of two multiplies without rounding; the rise
    // takes between a quarter and half of the gap.
    double slope = std::exp2(std::ceil(std::log2(2 / gap)));
    double middle = points[i].x + gap / 2, half = 0.5 / slope;
    double tolerance = gap / 2 - half;
    double reach = axis.sizeAt(std::max(last - middle, middle - first));
    tolerance -=
        (axis.terms + 3) * axis.unitRoundoff * (std::fabs(middle) + reach);
    double error = axis.errorAt(
        std::max(std::fabs(points[i].x), std::fabs(points[i + 1].x)));
    if (error > tolerance)
      return std::nullopt;
    // Of all gaps the one where it matters most.
    if (!profile.inputTolerance ||
        error * *profile.inputTolerance > profile.inputError * tolerance ||
        (axis.relativeError == 0 && tolerance < *profile.inputTolerance)) {
      profile.inputError = error;
      profile.inputTolerance = tolerance;
    }
    // The units that face the nearer end have the smaller values.
    if (zeroLeft || (!zeroRight && last - middle <= middle - first)) {
      profile.units.push_back({slope, -slope * (middle - half), change});
      profile.units.push_back({slope, -slope * (middle + half), -change});
    } else {
      profile.constant += change;
      profile.units.push_back({-slope, slope * (middle + half), -change});
      profile.units.push_back({-slope, slope * (middle - half), change});
    }
  }
  // On a flat the units of a pair differ by exactly 1 up to rounding: an error
  // of x moves both alike.
  profile.error = roundingAt(profile, points, axis);
  return profile;
}

/// Points that differ by the rounding of doubles alone, in x and in y, are one.
static std::vector<ProfilePoint>
mergeNeighbours(llvm::ArrayRef<ProfilePoint> points) {
  double span = points.back().x - points.front().x, low = points[0].y,
         high = points[0].y;
  for (const ProfilePoint &point : points) {
    low = std::min(low, point.y);
    high = std::max(high, point.y);
  }
  std::vector<ProfilePoint> merged{points[0]};
  for (const ProfilePoint &point : points.drop_front()) {
    const ProfilePoint &last = merged.back();
    if (point.x - last.x > 1e-13 * span ||
        std::fabs(point.y - last.y) > 1e-12 * (high - low))
      merged.push_back(point);
  }
  return merged;
}

std::optional<Profile>
rasp::backend::makeProfile(llvm::ArrayRef<ProfilePoint> allPoints,
                           const Axis &axis, bool allowLinear, bool clean) {
  std::vector<ProfilePoint> points = mergeNeighbours(allPoints);
  if (points.size() == 1) {
    Profile profile;
    profile.constant = points[0].y;
    return profile;
  }
  for (size_t i = 0; i + 1 < points.size(); ++i)
    if (points[i].x == points[i + 1].x)
      return std::nullopt;
  Profile polygon = interpolate(points, axis, allowLinear);
  polygon.inputError = axis.errorAt(
      std::max(std::fabs(points.front().x), std::fabs(points.back().x)));
  std::optional<Profile> stairs = steps(points, axis);
  if (!stairs)
    return polygon;
  double low = points[0].y, high = points[0].y;
  for (const ProfilePoint &point : points) {
    low = std::min(low, point.y);
    high = std::max(high, point.y);
  }
  bool noisy = (clean || polygon.error > 1e-4 * (high - low)) &&
               stairs->error < polygon.error;
  bool cleaner = stairs->exactZero && polygon.inputError > 0 &&
                 stairs->units.size() <= polygon.units.size();
  if (noisy || cleaner || stairs->units.size() < polygon.units.size())
    return stairs;
  return polygon;
}

bool rasp::backend::risesNaturally(llvm::ArrayRef<double> xs, size_t at) {
  double middle = xs[at - 1] + (xs[at] - xs[at - 1]) / 2;
  return xs.back() - middle <= middle - xs.front();
}

std::optional<Step> rasp::backend::makeStep(llvm::ArrayRef<double> xs,
                                            size_t at, bool rises,
                                            const Axis &axis) {
  double below = xs[at - 1], above = xs[at];
  double gap = above - below, middle = below + gap / 2;
  // The slope multiplies without rounding; the rise takes between a quarter and
  // half of the gap.
  double slope = std::exp2(std::ceil(std::log2(2 / gap))), half = 0.5 / slope;
  double sign = rises ? 1 : -1;
  double offset = -slope * (sign * middle - half);
  // Multiples of this are exact, and so is 1 less.
  double grid = std::max(
      0x1p-5, std::exp2(std::ceil(std::log2(1 + std::fabs(offset))) - 20));
  offset = grid * std::nearbyint(offset / grid);
  double reach = std::max(std::fabs(below), std::fabs(above));
  Step step{{sign * slope, offset, 1}, {sign * slope, offset - 1, -1}};
  step.inputError = axis.errorAt(reach);
  step.inputTolerance = gap / 2 - half - grid / slope -
                        (axis.terms + 3) * axis.unitRoundoff *
                            (std::fabs(middle) + axis.sizeAt(reach));
  if (grid > 1 || !(step.inputError <= step.inputTolerance))
    return std::nullopt;
  return step;
}

double Step::errorAt(double x, const Axis &axis) const {
  double total = 0, spread = 0, u = axis.unitRoundoff;
  for (const ProfileUnit &unit : {first, second}) {
    double input = unit.slope * x + unit.offset;
    if (input <= 0)
      continue;
    double error = std::fabs(unit.slope) * axis.errorAt(x);
    double size =
        std::fabs(unit.slope) * axis.sizeAt(x) + error + std::fabs(unit.offset);
    // Two terms have one sum, rounded as it comes out.
    double sums = input + error + 2 * u * size;
    if (axis.directions > 1)
      sums += axis.directions * size;
    total += 1.01 * u * (sums + (axis.exactProducts ? 0 : size));
    spread += error;
  }
  // An error of x moves both units alike, but it is rounded with them.
  return total == 0 ? 0 : total + 1.01 * u * (1 + total + spread);
}

Profile rasp::backend::makeWidthProfile(llvm::ArrayRef<double> values,
                                        unsigned firstWidth, double error,
                                        double unitRoundoff) {
  auto build = [&](double atZero) {
    // h(j) for j = -1, 0, 1, ...; zero up to j = 0.
    Profile profile;
    profile.constant = atZero;
    double before = 0, previous = 0;
    unsigned last = firstWidth + static_cast<unsigned>(values.size()) - 1;
    for (unsigned w = 1; w <= last; ++w) {
      double g = w < firstWidth ? atZero : values[w - firstWidth];
      double h = (w + 1) * (g - atZero) / 2;
      double weight = h - 2 * previous + before;
      if (weight != 0)
        profile.units.push_back({-2.0 * w, 2, weight});
      before = previous;
      previous = h;
    }
    return profile;
  };
  Profile best = build(values[0]);
  if (firstWidth == 1 && values.size() > 1) {
    // Width 0 cannot occur; continuing the first slope may save units.
    Profile extended = build(2 * values[0] - values[1]);
    if (extended.units.size() <= best.units.size())
      best = std::move(extended);
  }
  // relu(2 - 2jx) is wrong by 2j times the error of x, and by rounding. Units
  // come in the order in which they are on as w grows.
  double weights = 0, bends = 0, count = 1;
  auto next = best.units.begin();
  for (size_t i = 0; i < values.size(); ++i) {
    double w = firstWidth + static_cast<double>(i), x = 1 / (w + 1);
    for (; next != best.units.end() && next->slope / -2 <= w + 1; ++next) {
      weights += std::fabs(next->weight);
      bends += std::fabs(next->weight) * (next->slope / -2);
      ++count;
    }
    double total = 2 * bends * x * error + 8 * unitRoundoff * weights;
    double magnitude = std::fabs(best.constant) + 2 * (weights - bends * x);
    best.error =
        largerBound(best.error, total + count * unitRoundoff * magnitude);
  }
  return best;
}
