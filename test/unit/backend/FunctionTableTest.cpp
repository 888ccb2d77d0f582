//===- test/unit/backend/FunctionTableTest.cpp ----------------------------===//

#include "backend/FunctionTable.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace rasp::backend;

static FunctionTable table(llvm::ArrayRef<uint32_t> sizes,
                           std::vector<double> entries) {
  FunctionTable result;
  result.sources.assign(sizes.size(), nullptr);
  result.sizes.assign(sizes.begin(), sizes.end());
  result.entries = std::move(entries);
  return result;
}

TEST(FunctionTable, StridesAndRange) {
  FunctionTable t = table({2, 3}, {1, anyNumber, -4, 2, 0, 9});
  EXPECT_EQ(t.stride(0), 3u);
  EXPECT_EQ(t.stride(1), 1u);
  EXPECT_EQ(t.range(), std::pair(-4.0, 9.0));
  EXPECT_EQ(table({1}, {anyNumber}).range(), std::pair(0.0, 0.0));
}

TEST(FunctionTable, OdometerCountsTheLastSourceFastest) {
  uint32_t sizes[] = {2, 2};
  Odometer odometer(sizes);
  EXPECT_EQ(odometer.at, (llvm::SmallVector<uint32_t, 3>{0, 0}));
  odometer.next();
  EXPECT_EQ(odometer.at, (llvm::SmallVector<uint32_t, 3>{0, 1}));
  odometer.next();
  EXPECT_EQ(odometer.at, (llvm::SmallVector<uint32_t, 3>{1, 0}));
  odometer.next();
  odometer.next();
  EXPECT_EQ(odometer.at, (llvm::SmallVector<uint32_t, 3>{0, 0}));
}

TEST(FunctionTable, EqualSlicesMerge) {
  // Values 0 and 2 of the second source are alike.
  FunctionTable t = table({2, 3}, {1, 5, 1, 2, 6, 2});
  ValueClasses classes = mergeValues(t, 1);
  EXPECT_EQ(classes.classOf, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(classes.representative, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(t.sizes[1], 2u);
  EXPECT_EQ(t.entries, (std::vector<double>{1, 5, 2, 6}));
}

TEST(FunctionTable, UnknownEntriesFitAnySlice) {
  // Value 1 agrees with 0 and fills its gap; then 2 no longer agrees.
  FunctionTable t = table({3, 2}, {1, anyNumber, 1, 7, 1, 8});
  ValueClasses classes = mergeValues(t, 0);
  EXPECT_EQ(classes.classOf, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(t.entries, (std::vector<double>{1, 7, 1, 8}));
}

TEST(FunctionTable, MergedTablesKeepEveryKnownEntry) {
  std::mt19937 random(3);
  for (unsigned trial = 0; trial < 200; ++trial) {
    llvm::SmallVector<uint32_t, 3> sizes;
    size_t total = 1;
    for (unsigned d = 0; d < 1 + trial % 3; ++d) {
      sizes.push_back(1 + random() % 5);
      total *= sizes.back();
    }
    std::vector<double> entries(total);
    for (double &entry : entries)
      entry = random() % 4 ? static_cast<double>(random() % 2) : anyNumber;
    FunctionTable before = table(sizes, entries), after = before;
    size_t dim = random() % sizes.size();
    ValueClasses classes = mergeValues(after, dim);
    EXPECT_EQ(classes.representative.size(), after.sizes[dim]);
    Odometer at(before.sizes);
    for (double entry : before.entries) {
      size_t index = 0;
      for (size_t d = 0; d < sizes.size(); ++d)
        index = index * after.sizes[d] +
                (d == dim ? classes.classOf[at.at[d]] : at.at[d]);
      EXPECT_TRUE(std::isnan(entry) || after.entries[index] == entry);
      at.next();
    }
  }
}

TEST(FunctionTable, EqualNumbersShareTheirEntries) {
  // Along dimension 1: 0, 1, 1.0, 2 and a string.
  FunctionTable t = table({2, 5}, {5, anyNumber, 6, 7, 8, //
                                   5, 6, 9, anyNumber, anyNumber});
  shareEqualNumbers(t, 1, {0, 1, 1, 2, anyNumber});
  EXPECT_EQ(t.entries[1], 6);
  EXPECT_EQ(t.entries[2], 6);
  // What is known on both sides stays, and so does what no equal number knows.
  EXPECT_EQ(t.entries[6], 6);
  EXPECT_EQ(t.entries[7], 9);
  EXPECT_TRUE(std::isnan(t.entries[8]));
  EXPECT_TRUE(std::isnan(t.entries[9]));

  FunctionTable rows = table({2, 2}, {anyNumber, 3, 4, anyNumber});
  shareEqualNumbers(rows, 0, {1, 1});
  EXPECT_EQ(rows.entries, (std::vector<double>{4, 3, 4, 3}));
}
