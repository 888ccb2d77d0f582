//===- test/unit/ir/MeanSetTest.cpp ---------------------------------------===//

#include "ir/MeanSet.h"
#include "ir/ValueSets.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

static std::vector<Value> ints(llvm::ArrayRef<int64_t> numbers) {
  std::vector<Value> values;
  for (int64_t number : numbers)
    values.push_back(Value::integer(number));
  return values;
}

TEST(MeanSet, NeighboursAreThoseOfTheList) {
  std::vector<Value> numbers = ints({-3, -2, -1, 0, 1, 2, 3, 4});
  constexpr unsigned maxCount = 12;
  std::optional<MeanSet> set = MeanSet::of(numbers, maxCount);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->low(), -3);
  EXPECT_EQ(set->high(), 4);
  std::vector<double> listed = *means(numbers, maxCount, 1 << 16);
  for (double number = -4; number <= 5; number += 1 / 64.0) {
    std::vector<double> expected;
    auto at = llvm::lower_bound(listed, number);
    if (at != listed.begin())
      expected.push_back(*std::prev(at));
    if (at != listed.end() && *at == number)
      expected.push_back(*at++);
    if (at != listed.end())
      expected.push_back(*at);
    EXPECT_EQ(set->around(number, 1e-12), expected) << number;
  }
}

TEST(MeanSet, GapsHold) {
  std::vector<Value> numbers = {Value::real(0.25), Value::real(0.75),
                                Value::integer(3)};
  std::optional<MeanSet> set = MeanSet::of(numbers, 9);
  ASSERT_TRUE(set);
  std::vector<double> listed = *means(numbers, 9, 1 << 16);
  for (size_t i = 0; i + 1 < listed.size(); ++i)
    EXPECT_GE(listed[i + 1] - listed[i], set->smallestGap());
}

TEST(MeanSet, NumbersWithoutAStep) {
  EXPECT_FALSE(MeanSet::of({}, 3));
  EXPECT_FALSE(MeanSet::of({Value::real(0.1), Value::real(0.7)}, 3));
  EXPECT_FALSE(MeanSet::of(ints({int64_t(1) << 50, 0}), 3));
  // All equal: one element.
  std::optional<MeanSet> set = MeanSet::of(ints({5, 5}), 4);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->around(5, 1e-12), std::vector<double>{5});
  EXPECT_EQ(set->around(7, 1e-12), std::vector<double>{5});
}
