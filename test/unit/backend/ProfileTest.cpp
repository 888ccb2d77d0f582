//===- test/unit/backend/ProfileTest.cpp ----------------------------------===//

#include "backend/Profile.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <random>

using namespace rasp::backend;

template <typename T> static constexpr double roundoff = 0;
template <> constexpr double roundoff<float> = 0x1p-24;
template <> constexpr double roundoff<double> = 0x1p-53;

/// What the hidden units add up to when everything is rounded to T, the units
/// in the order given.
template <typename T>
static T sumOfUnits(const std::vector<ProfileUnit> &units, T x) {
  T sum = 0;
  for (const ProfileUnit &unit : units) {
    T product = T(unit.slope) * x;
    T input = product + T(unit.offset);
    T own = T(unit.weight) * std::max(input, T(0));
    sum += own;
  }
  return sum;
}

namespace {
class ProfileTest : public testing::Test {
protected:
  std::mt19937 random{1};

  double between(double low, double high) {
    return std::uniform_real_distribution<>(low, high)(random);
  }

  /// A number of type T at most `error` away from x.
  template <typename T> T perturbed(double x, double error) {
    for (;;) {
      T near = static_cast<T>(x + between(-error, error));
      if (std::fabs(static_cast<double>(near) - x) <= error)
        return near;
    }
  }

  /// Whether the profile is what it claims to be, for wrong x and any order.
  template <typename T>
  void expectHolds(const Profile &profile, llvm::ArrayRef<ProfilePoint> points,
                   double error) {
    for (const ProfilePoint &point : points)
      for (unsigned trial = 0; trial < 20; ++trial) {
        T x = perturbed<T>(point.x, error);
        std::vector<ProfileUnit> units = profile.units;
        std::shuffle(units.begin(), units.end(), random);
        double sum = sumOfUnits<T>(units, x);
        // The affine part belongs to the view that reads the direction.
        double got =
            profile.constant + profile.linear * static_cast<double>(x) + sum;
        double bound = profile.error + std::fabs(profile.linear) * error +
                       1e-13 * (std::fabs(profile.constant) +
                                std::fabs(profile.linear * point.x));
        EXPECT_LE(std::fabs(got - point.y), bound) << "at " << point.x;
        bool isZero =
            profile.exactZero && profile.constant == 0 && point.y == 0;
        EXPECT_TRUE(!isZero || sum == 0) << "at " << point.x;
      }
  }
};
} // namespace

TEST_F(ProfileTest, OnePointIsAConstant) {
  std::optional<Profile> profile = makeProfile({{3, 7}}, {0.1}, true);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->constant, 7);
  EXPECT_TRUE(profile->units.empty());
  EXPECT_EQ(profile->error, 0);
}

TEST_F(ProfileTest, LineNeedsNoUnit) {
  ProfilePoint line[] = {{0, 1}, {1, 3}, {2, 5}, {7, 15}};
  std::optional<Profile> profile = makeProfile(line, {0}, true);
  ASSERT_TRUE(profile);
  EXPECT_TRUE(profile->units.empty());
  EXPECT_EQ(profile->linear, 2);
  EXPECT_EQ(profile->constant, 1);
  profile = makeProfile(line, {0}, /*allowLinear=*/false);
  EXPECT_EQ(profile->linear, 0);
  EXPECT_EQ(profile->units.size(), 1u);
}

TEST_F(ProfileTest, IntegersAreExact) {
  ProfilePoint squares[] = {{0, 0}, {1, 1}, {2, 4}, {3, 9}, {4, 16}};
  std::optional<Profile> profile = makeProfile(squares, {0}, true);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->error, 0);
  EXPECT_EQ(profile->units.size(), 3u);
  expectHolds<float>(*profile, squares, 0);
}

TEST_F(ProfileTest, StepsIgnoreErrors) {
  // Thresholds: two units, off where the value is 0, on either side.
  for (bool up : {false, true}) {
    std::vector<ProfilePoint> points;
    for (int i = 0; i < 9; ++i)
      points.push_back({i / 8.0, (i >= 4) == up ? 1.0 : 0.0});
    std::optional<Profile> profile = makeProfile(points, {0.02}, true);
    ASSERT_TRUE(profile);
    EXPECT_TRUE(profile->steps);
    EXPECT_TRUE(profile->exactZero);
    EXPECT_EQ(profile->units.size(), 2u);
    EXPECT_LT(profile->error, 1e-4);
    expectHolds<float>(*profile, points, 0.02);
    expectHolds<double>(*profile, points, 0.02);
  }
}

// The bound is that of the worst point: what is rounded there is added up unit
// by unit, be they steps that face either end or the bends of a polygon.
TEST_F(ProfileTest, TheBoundIsThatOfTheWorstPoint) {
  for (double error : {0.0, 0.01}) {
    std::vector<ProfilePoint> points;
    for (int i = 0; i < 200; ++i)
      points.push_back({0.3 * i + between(0, 0.1) - 20, between(0, 9)});
    Axis axis{error, error > 0 ? 0x1p-24 : 0x1p-53, 2};
    std::optional<Profile> profile =
        makeProfile(points, axis, /*allowLinear=*/false, /*clean=*/error > 0);
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->steps, error > 0);
    double worst = 0;
    for (const ProfilePoint &point : points) {
      double inputs = 0, magnitude = 0, active = 1;
      for (const ProfileUnit &unit : profile->units) {
        double input = unit.slope * point.x + unit.offset;
        if (input < -1e-3 * std::fabs(unit.offset))
          continue;
        double weight = std::fabs(unit.weight), slope = std::fabs(unit.slope);
        inputs += weight * (slope * (std::fabs(point.x) + error) +
                            std::fabs(unit.offset));
        magnitude += weight * (std::max(0.0, input) + slope * error);
        ++active;
      }
      worst = std::max(worst,
                       axis.unitRoundoff * (4 * inputs + active * magnitude));
    }
    EXPECT_GE(profile->error, worst);
    EXPECT_LE(profile->error, worst * (1 + 1e-9));
  }
}

TEST_F(ProfileTest, OfSumsThatOverflowNothingIsKnown) {
  ProfilePoint points[] = {
      {0, 0}, {1, 4e307}, {2, -4e307}, {3, 4e307}, {4, -4e307}};
  std::optional<Profile> profile = makeProfile(points, {0}, false);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->error, HUGE_VAL);
  double values[] = {1e308, -1e308, 1e308};
  EXPECT_EQ(makeWidthProfile(values, 1, 0, 0x1p-53).error, HUGE_VAL);
}

// Shares of BOS for widths 1 to 40: each step is 0 or 1 but for what it says,
// for any wrong share that it tolerates, and exactly 0 on its far side.
TEST_F(ProfileTest, AStepIsRightBesideItsGap) {
  std::vector<double> xs;
  for (int w = 40; w >= 1; --w)
    xs.push_back(1.0 / (w + 1));
  Axis axis;
  axis.relativeError = 4e-3;
  axis.exactProducts = true;
  for (size_t at = 1; at < xs.size(); ++at)
    for (bool rises : {false, true}) {
      std::optional<Step> step = makeStep(xs, at, rises, axis);
      ASSERT_TRUE(step) << at;
      EXPECT_EQ(step->second.slope, step->first.slope);
      EXPECT_EQ(step->second.offset, step->first.offset - 1);
      size_t beside = rises ? at : at - 1;
      if (rises == risesNaturally(xs, at)) {
        EXPECT_LT(step->errorAt(xs[beside], axis), 8 * 0x1p-24);
      }
      for (size_t p = 0; p < xs.size(); ++p) {
        bool isOn = (p >= at) == rises;
        float x = perturbed<float>(xs[p], axis.errorAt(xs[p]));
        float got = sumOfUnits<float>({step->first, step->second}, x);
        if (isOn)
          EXPECT_LE(std::fabs(got - 1), step->errorAt(xs[p], axis)) << at;
        else
          EXPECT_EQ(got, 0) << at;
        EXPECT_GE(sumOfUnits<float>({step->first}, x), isOn ? 0.99 : 0);
      }
    }
  // Widths 39 and 40 are as close as this.
  axis.relativeError = 1.0 / 80;
  EXPECT_FALSE(makeStep(xs, 1, false, axis));
  EXPECT_TRUE(makeStep(xs, 39, true, axis));
}

TEST_F(ProfileTest, LargeErrorsLeaveTheLine) {
  // Steps cannot be told apart at this error: the polygon says how wrong it is.
  ProfilePoint points[] = {{0, 0}, {1, 1}, {2, 0}};
  std::optional<Profile> profile = makeProfile(points, {0.3}, true);
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->steps);
  EXPECT_GE(profile->error, 0.3);
  expectHolds<float>(*profile, points, 0.3);
}

TEST_F(ProfileTest, RandomPointsStayWithinTheBound) {
  for (unsigned trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE("trial " + std::to_string(trial));
    std::vector<ProfilePoint> points;
    bool integers = trial % 3 == 0;
    double x = std::floor(between(-50, 50));
    double smallest = 1e9;
    unsigned count = 2 + random() % 12;
    for (unsigned i = 0; i < count; ++i) {
      double y = random() % 4;
      points.push_back({x, integers ? y : y * 0.3});
      double gap = integers ? 1 + random() % 3 : between(0.01, 2);
      smallest = std::min(smallest, gap);
      x += gap;
    }
    for (double relative : {1e-3, 0.05, 0.2, 0.5})
      for (bool allowLinear : {false, true}) {
        // x itself is rounded, so that its error is never less than this.
        double error = std::max(relative * smallest, 1e-5);
        auto check = [&](auto zero) {
          using T = decltype(zero);
          std::optional<Profile> profile =
              makeProfile(points, {error, roundoff<T>}, allowLinear);
          ASSERT_TRUE(profile);
          EXPECT_TRUE(allowLinear || profile->linear == 0);
          expectHolds<T>(*profile, points, error);
        };
        check(float());
        check(double());
      }
  }
}

//===----------------------------------------------------------------------===//
// Widths
//===----------------------------------------------------------------------===//

template <typename T>
static void expectWidthHolds(llvm::ArrayRef<double> values, unsigned first,
                             double relative, std::mt19937 &random) {
  Profile profile = makeWidthProfile(values, first, relative, roundoff<T>);
  std::uniform_real_distribution<> noise(-relative, relative);
  for (size_t i = 0; i < values.size(); ++i)
    for (unsigned trial = 0; trial < 10; ++trial) {
      double exact = 1 / (first + static_cast<double>(i) + 1);
      T x = static_cast<T>(exact * (1 + 0.9 * noise(random)));
      std::vector<ProfileUnit> units = profile.units;
      std::shuffle(units.begin(), units.end(), random);
      double got = profile.constant + sumOfUnits<T>(units, x);
      EXPECT_LE(std::fabs(got - values[i]), profile.error + 1e-13)
          << "width " << first + i;
    }
}

TEST(WidthProfile, TheWidthItselfHasWeightsOne) {
  std::vector<double> values;
  for (int w = 0; w <= 12; ++w)
    values.push_back(w);
  Profile profile = makeWidthProfile(values, 0, 0x1p-23, 0x1p-24);
  EXPECT_EQ(profile.constant, 0);
  EXPECT_EQ(profile.linear, 0);
  ASSERT_EQ(profile.units.size(), 12u);
  for (unsigned j = 1; j <= 12; ++j) {
    EXPECT_EQ(profile.units[j - 1].slope, -2.0 * j);
    EXPECT_EQ(profile.units[j - 1].offset, 2);
    EXPECT_EQ(profile.units[j - 1].weight, 1);
  }
}

TEST(WidthProfile, AWidthThatCannotOccurCostsNothing) {
  EXPECT_EQ(makeWidthProfile({1, 2, 3, 4}, 1, 0x1p-23, 0x1p-24).units.size(),
            3u);
  EXPECT_EQ(makeWidthProfile({5, 9}, 1, 0x1p-23, 0x1p-24).units.size(), 1u);
  EXPECT_EQ(makeWidthProfile({6, 6, 6}, 1, 0x1p-23, 0x1p-24).units.size(), 0u);
}

TEST(WidthProfile, RandomFunctionsStayWithinTheBound) {
  std::mt19937 random(7);
  for (unsigned trial = 0; trial < 60; ++trial) {
    SCOPED_TRACE("trial " + std::to_string(trial));
    unsigned first = trial % 2;
    std::vector<double> values(2 + random() % 40);
    for (double &value : values)
      value = (trial % 3 ? 1.0 : 0.1) * static_cast<double>(random() % 8);
    expectWidthHolds<float>(values, first, 0x1p-22, random);
    expectWidthHolds<double>(values, first, 0x1p-50, random);
  }
}

TEST(WidthProfile, LongWidths) {
  std::mt19937 random(7);
  std::vector<double> values;
  for (int w = 0; w <= 1000; ++w)
    values.push_back(w);
  expectWidthHolds<float>(values, 0, 0x1p-22, random);
}
