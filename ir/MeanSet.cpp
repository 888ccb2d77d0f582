//===- ir/MeanSet.cpp - means too many to be listed -----------------------===//

#include "ir/MeanSet.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <numeric>

using namespace rasp::ir;

std::optional<MeanSet> MeanSet::of(llvm::ArrayRef<Value> numbers,
                                   unsigned maxCount) {
  if (numbers.empty() || maxCount == 0)
    return std::nullopt;
  std::vector<int64_t> significands(numbers.size());
  std::optional<int> exponent = toFixedPoint(numbers, significands);
  // Sums of steps must not overflow, and the steps be known as doubles.
  constexpr int64_t largest = int64_t(1) << 40;
  if (!exponent || llvm::any_of(significands, [](int64_t significand) {
        return significand > largest || significand < -largest;
      }))
    return std::nullopt;
  auto [low, high] =
      std::minmax_element(significands.begin(), significands.end());
  MeanSet set;
  set.base = *low;
  set.exponent = *exponent;
  set.maxCount = maxCount;
  set.unit = 0;
  for (int64_t significand : significands)
    set.unit = std::gcd(set.unit, significand - *low);
  if (set.unit == 0)
    set.unit = 1;
  set.steps = static_cast<uint64_t>((*high - *low) / set.unit);
  return set;
}

double MeanSet::at(uint64_t step, unsigned count) const {
  __int128 sum = __int128(base) * count + __int128(unit) * __int128(step);
  return scaledMean(sum, count, exponent);
}

double MeanSet::smallestGap() const {
  double largest = maxCount;
  return std::ldexp(static_cast<double>(unit), exponent) / (largest * largest);
}

std::vector<double> MeanSet::around(double number, double slack) const {
  std::vector<double> candidates;
  double place = (std::ldexp(number, -exponent) - static_cast<double>(base)) /
                 static_cast<double>(unit);
  for (unsigned count = 1; count <= maxCount; ++count) {
    double last = static_cast<double>(steps) * count;
    double first = std::clamp(std::floor(place * count) - 1, 0.0, last);
    for (double step = first; step <= std::min(first + 3, last); ++step)
      candidates.push_back(at(static_cast<uint64_t>(step), count));
  }
  llvm::sort(candidates);
  candidates.erase(llvm::unique(candidates), candidates.end());
  auto begin = llvm::lower_bound(candidates, number - slack);
  auto end = llvm::upper_bound(candidates, number + slack);
  if (begin != candidates.begin())
    --begin;
  if (end != candidates.end())
    ++end;
  return {begin, end};
}
