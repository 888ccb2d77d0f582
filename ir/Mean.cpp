//===- ir/Mean.cpp - exact sums and correctly rounded quotients -----------===//

#include "ir/Mean.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/STLExtras.h"
#include <bit>
#include <cmath>
#include <limits>

using namespace rasp::ir;
using llvm::APInt;
using llvm::ArrayRef;

using UInt128 = unsigned __int128;

/// `bits * 2^exponent`, correctly rounded. The lowest bit of `bits` may be
/// sticky, that is, stand for everything that was cut off below it, if `bits`
/// has at least 55 bits.
static double roundScaled(uint64_t bits, int exponent) {
  if (bits == 0)
    return 0;
  // The weight of the last bit that the result can hold: 53 bits, fewer for
  // subnormal results.
  int width = 64 - std::countl_zero(bits);
  int drop = std::max(width - 53, -1074 - exponent);
  if (drop <= 0)
    return std::ldexp(static_cast<double>(bits), exponent);
  if (drop > 64)
    return 0;
  uint64_t kept = drop == 64 ? 0 : bits >> drop;
  uint64_t cut = drop == 64 ? bits : bits & ((uint64_t(1) << drop) - 1);
  uint64_t half = uint64_t(1) << (drop - 1);
  if (cut > half || (cut == half && (kept & 1)))
    ++kept;
  return std::ldexp(static_cast<double>(kept), exponent + drop);
}

/// `numerator * 2^exponent / denominator`, correctly rounded.
static double scaledQuotient(UInt128 numerator, uint64_t denominator,
                             int exponent) {
  if (numerator == 0)
    return 0;
  // Shifted up, the quotient has at least 128 - 64 bits.
  uint64_t high = static_cast<uint64_t>(numerator >> 64);
  int shift = high ? std::countl_zero(high)
                   : 64 + std::countl_zero(static_cast<uint64_t>(numerator));
  numerator <<= shift;
  UInt128 result = numerator / denominator;
  bool sticky = numerator % denominator != 0;
  exponent -= shift;
  if (uint64_t top = static_cast<uint64_t>(result >> 64)) {
    int excess = 64 - std::countl_zero(top);
    sticky |= (result & ((UInt128(1) << excess) - 1)) != 0;
    result >>= excess;
    exponent += excess;
  }
  return roundScaled(static_cast<uint64_t>(result) | sticky, exponent);
}

static uint64_t magnitude(int64_t i) {
  return i < 0 ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
}

double rasp::ir::quotient(__int128 numerator, int64_t denominator) {
  bool negative = (numerator < 0) != (denominator < 0);
  UInt128 bits = numerator < 0 ? -static_cast<UInt128>(numerator)
                               : static_cast<UInt128>(numerator);
  uint64_t divisor = magnitude(denominator);
  // Up to here both are doubles, and IEEE division rounds correctly.
  constexpr uint64_t exact = uint64_t(1) << 53;
  double result =
      bits <= exact && divisor <= exact
          ? static_cast<double>(static_cast<uint64_t>(bits)) / divisor
          : scaledQuotient(bits, divisor, 0);
  return negative ? -result : result;
}

namespace {
/// A number as `significand * 2^exponent`.
struct Scaled {
  int64_t significand;
  int exponent;
};
} // namespace

/// With an exponent as large as possible, so that sums stay short.
static Scaled split(const Value &number) {
  if (!number.isFloat())
    return {number.toInt(), 0};
  constexpr uint64_t fractionMask = (uint64_t(1) << 52) - 1;
  auto bits = std::bit_cast<uint64_t>(number.asFloat());
  auto fraction = static_cast<int64_t>(bits & fractionMask);
  int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  if (exponent == 0)
    exponent = 1;
  else
    fraction |= int64_t(1) << 52;
  if (fraction == 0)
    return {0, 0};
  int zeros = std::countr_zero(static_cast<uint64_t>(fraction));
  fraction >>= zeros;
  return {bits >> 63 ? -fraction : fraction, exponent - 1075 + zeros};
}

namespace {
/// Numbers are multiples of 2^lowest and less than 2^highest in magnitude.
struct Extent {
  int lowest = std::numeric_limits<int>::max();
  int highest = std::numeric_limits<int>::min();

  void add(const Scaled &scaled) {
    if (scaled.significand == 0)
      return;
    lowest = std::min(lowest, scaled.exponent);
    highest = std::max<int>(highest,
                            scaled.exponent +
                                std::bit_width(magnitude(scaled.significand)));
  }
  bool isZero() const { return lowest > highest; }
};
} // namespace

/// For numbers whose magnitudes differ too much for 128 bits.
static double wideMean(ArrayRef<Value> numbers, int lowest, unsigned width) {
  APInt sum(width, 0);
  for (const Value &number : numbers) {
    Scaled scaled = split(number);
    if (scaled.significand != 0)
      sum += APInt(width, scaled.significand, /*isSigned=*/true)
             << (scaled.exponent - lowest);
  }
  bool negative = sum.isNegative();
  if (negative)
    sum.negate();
  // Leave 120 bits, of which the lowest is sticky. The quotient's own last bit
  // lies above it, since the count has fewer than 60 bits.
  unsigned active = sum.getActiveBits();
  unsigned drop = active > 120 ? active - 120 : 0;
  bool sticky = sum.countr_zero() < drop;
  sum.lshrInPlace(drop);
  UInt128 bits =
      (static_cast<UInt128>(sum.extractBitsAsZExtValue(64, 64)) << 64) |
      sum.extractBitsAsZExtValue(64, 0) | sticky;
  double result =
      scaledQuotient(bits, numbers.size(), lowest + static_cast<int>(drop));
  return negative ? -result : result;
}

double rasp::ir::mean(ArrayRef<Value> numbers) {
  __int128 sum = 0;
  if (llvm::none_of(numbers, [](const Value &v) { return v.isFloat(); })) {
    for (const Value &number : numbers)
      sum += number.toInt();
    return quotient(sum, static_cast<int64_t>(numbers.size()));
  }

  Extent extent;
  for (const Value &number : numbers)
    extent.add(split(number));
  if (extent.isZero())
    return 0;
  int width =
      extent.highest - extent.lowest + std::bit_width(numbers.size()) + 1;
  if (width > 127)
    return wideMean(numbers, extent.lowest, std::max(width + 1, 192));
  for (const Value &number : numbers) {
    Scaled scaled = split(number);
    if (scaled.significand != 0)
      sum += static_cast<__int128>(scaled.significand)
             << (scaled.exponent - extent.lowest);
  }
  return scaledMean(sum, static_cast<int64_t>(numbers.size()), extent.lowest);
}

double rasp::ir::scaledMean(__int128 sum, int64_t count, int exponent) {
  if (exponent == 0)
    return quotient(sum, count);
  UInt128 bits =
      sum < 0 ? -static_cast<UInt128>(sum) : static_cast<UInt128>(sum);
  double result = scaledQuotient(bits, count, exponent);
  return sum < 0 ? -result : result;
}

std::optional<int>
rasp::ir::toFixedPoint(ArrayRef<Value> numbers,
                       llvm::MutableArrayRef<int64_t> significands) {
  if (llvm::none_of(numbers, [](const Value &v) { return v.isFloat(); })) {
    for (auto [significand, number] : llvm::zip_equal(significands, numbers))
      significand = number.toInt();
    return 0;
  }
  Extent extent;
  for (const Value &number : numbers)
    extent.add(split(number));
  if (extent.isZero()) {
    std::fill(significands.begin(), significands.end(), 0);
    return 0;
  }
  if (extent.highest - extent.lowest > 63)
    return std::nullopt;
  for (auto [significand, number] : llvm::zip_equal(significands, numbers)) {
    Scaled scaled = split(number);
    significand = scaled.significand == 0
                      ? 0
                      : scaled.significand << (scaled.exponent - extent.lowest);
  }
  return extent.lowest;
}
