//===- runtime/Lanes.h - arithmetic on several numbers at once --*- C++ -*-===//
//
// Built on the vector extension of GCC and Clang. Private to the forward pass.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_LANES_H
#define RASP_RUNTIME_LANES_H

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace rasp::rt {

template <typename T> struct FloatTraits;
template <> struct FloatTraits<float> {
  using Bits = uint32_t;
  static Bits bitsOf(float x) { return std::bit_cast<Bits>(x); }
  static constexpr int mantissa = 23, bias = 127;
  /// Terms of the exponential series that matter up to ln 2 / 2.
  static constexpr int degree = 7;
  /// Where e^x is about to become subnormal.
  static constexpr float smallest = -87;
};
template <> struct FloatTraits<double> {
  using Bits = uint64_t;
  static Bits bitsOf(double x) { return std::bit_cast<Bits>(x); }
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr int degree = 13;
  static constexpr double smallest = -708;
};

/// `n` numbers that every operation treats alike.
template <typename T, unsigned n> class Lanes {
public:
  Lanes() : parts{} {}

  static Lanes load(const T *from) {
    Lanes lanes;
    for (unsigned i = 0; i < numParts; ++i)
      std::memcpy(&lanes.parts[i], from + i * perPart, partSize);
    return lanes;
  }
  void store(T *to) const {
    for (unsigned i = 0; i < numParts; ++i)
      std::memcpy(to + i * perPart, &parts[i], partSize);
  }

  static Lanes all(T value) {
    Lanes lanes;
    for (Part &part : lanes.parts)
      part = Part{} + value;
    return lanes;
  }
  void set(unsigned lane, T value) {
    parts[lane / perPart][lane % perPart] = value;
  }

  Lanes &operator+=(const Lanes &other) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] += other.parts[i];
    return *this;
  }
  Lanes &operator-=(const Lanes &other) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] -= other.parts[i];
    return *this;
  }
  Lanes &operator/=(const Lanes &other) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] /= other.parts[i];
    return *this;
  }
  /// this += a * b, the product rounded.
  void addProduct(const Lanes &a, const Lanes &b) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] += a.parts[i] * b.parts[i];
  }
  void addProduct(const Lanes &a, T b) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] += a.parts[i] * b;
  }

  void takeLarger(const Lanes &other) {
    for (unsigned i = 0; i < numParts; ++i)
      parts[i] = other.parts[i] > parts[i] ? other.parts[i] : parts[i];
  }
  bool isZero() const {
    return holds([](const Part &part) { return part == Part{}; });
  }
  /// Whether e^x is 0 for every x.
  bool allVanish() const {
    return holds(
        [](const Part &part) { return part < FloatTraits<T>::smallest; });
  }
  /// e^x for x <= 0: exactly 0 where it would be subnormal, exactly 1 at 0.
  void expNonPositive() {
    for (Part &part : parts)
      part = expNonPositive(part);
  }

private:
  /// What the instructions of every x86-64 and AArch64 work on.
  static constexpr unsigned partSize = 16;
  static constexpr unsigned perPart = partSize / sizeof(T);
  static constexpr unsigned numParts = n / perPart;
  using Bits = typename FloatTraits<T>::Bits;
  typedef T Part __attribute__((vector_size(partSize)));
  typedef Bits BitsPart __attribute__((vector_size(partSize)));

  /// Whether a comparison holds for every number.
  template <typename Compare> bool holds(Compare compare) const {
    BitsPart every = ~BitsPart{};
    for (const Part &part : parts)
      every &= reinterpret_cast<BitsPart>(compare(part));
    uint64_t words[partSize / sizeof(uint64_t)];
    std::memcpy(words, &every, partSize);
    return (words[0] & words[1]) == ~uint64_t(0);
  }

  static Part expNonPositive(Part x) {
    using F = FloatTraits<T>;
    // x = k ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^mantissa rounds to
    // an integer and leaves it in the low bits. The high part of ln 2 has so
    // few bits that its product with k is exact.
    constexpr T magic = T(3) * (uint64_t(1) << (F::mantissa - 1));
    constexpr T ln2High = 0.693359375, ln2Low = -2.12194440054690582768e-4;
    Part shifted = x * T(1.44269504088896340736) + magic;
    Part k = shifted - magic;
    Part r = (x - k * ln2High) - k * ln2Low;
    constexpr auto inverseFactorial = [] {
      std::array<T, F::degree + 1> factors = {1};
      for (int i = 1; i <= F::degree; ++i)
        factors[i] = factors[i - 1] / T(i);
      return factors;
    }();
    Part sum = Part{} + inverseFactorial[F::degree];
    for (int i = F::degree - 1; i >= 0; --i)
      sum = sum * r + inverseFactorial[i];
    BitsPart power = (reinterpret_cast<BitsPart>(shifted) << F::mantissa) +
                     (Bits(F::bias) << F::mantissa);
    return x < F::smallest ? Part{} : sum * reinterpret_cast<Part>(power);
  }

  Part parts[numParts];
};

} // namespace rasp::rt

#endif
