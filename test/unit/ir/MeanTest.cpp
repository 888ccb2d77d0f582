//===- test/unit/ir/MeanTest.cpp ------------------------------------------===//

#include "ir/Mean.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace rasp::ir;

static std::vector<Value> reals(std::initializer_list<double> numbers) {
  std::vector<Value> values;
  for (double d : numbers)
    values.push_back(Value::real(d));
  return values;
}

TEST(Mean, IntsNeverOverflow) {
  int64_t big = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(mean({Value::integer(big), Value::integer(big)}), 0x1p63);
  EXPECT_EQ(mean({Value::integer(1), Value::boolean(false)}), 0.5);
}

TEST(Mean, QuotientsAreCorrectlyRounded) {
  // 2^53 + 1 lies halfway between two doubles; the tie goes to the even one.
  __int128 tie = (__int128(1) << 53) + 1;
  EXPECT_EQ(quotient(tie, 1), 0x1p53);
  EXPECT_EQ(quotient(tie + 2, 1), 0x1p53 + 4);
  // Converting first would round 3 * (2^53 + 1) down to 3 * 2^53.
  EXPECT_EQ(quotient(3 * tie + 1, 3), 0x1p53 + 2);
  EXPECT_EQ(quotient(-(3 * tie + 1), 3), -(0x1p53 + 2));
  EXPECT_EQ(quotient(1, -3), -1.0 / 3);
}

TEST(Mean, CancellationIsExact) {
  EXPECT_EQ(mean(reals({1e300, 1.0, -1e300})), 1.0 / 3);
  EXPECT_EQ(mean(reals({1e300, 5e-324, -1e300, 5e-324})), 0);
  EXPECT_EQ(mean(reals({1e300, 5e-324, -1e300, 1e-323})), 5e-324);
  EXPECT_EQ(mean(reals({0.1, 0.2, 0.3})), 0.2);
  double largest = std::numeric_limits<double>::max();
  EXPECT_EQ(mean(reals({largest, largest})), largest);
}

TEST(Mean, SubnormalResultsAreRoundedOnce) {
  // 3 * 2^-1074 / 2 is a tie between 1 and 2 units; even is 2.
  EXPECT_EQ(mean(reals({5e-324, 1e-323})), 1e-323);
  EXPECT_EQ(mean(reals({5e-324, 0.0, 0.0})), 0);
}

TEST(Mean, OrderAndRepresentationDoNotMatter) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    unsigned count = 1 + random() % 20;
    int spread = round % 3 == 0 ? 3 : round % 3 == 1 ? 60 : 900;
    std::vector<Value> values;
    for (unsigned k = 0; k < count; ++k) {
      double d = std::ldexp(static_cast<double>(random()) - 0x1p31,
                            static_cast<int>(random() % spread) - spread / 2);
      values.push_back(random() % 4 ? Value::real(d)
                                    : Value::integer(random() % 100));
    }
    double expected = mean(values);
    std::shuffle(values.begin(), values.end(), random);
    EXPECT_EQ(mean(values), expected);

    std::vector<int64_t> significands(count);
    if (std::optional<int> exponent = toFixedPoint(values, significands)) {
      __int128 sum = 0;
      for (int64_t significand : significands)
        sum += significand;
      EXPECT_EQ(scaledMean(sum, count, *exponent), expected);
    }
    // Scaling by a power of two changes nothing else.
    for (Value &value : values)
      value = Value::real(value.toDouble() * 0x1p40);
    EXPECT_EQ(mean(values), expected * 0x1p40);
  }
}
