#include "tests/evaluation/clusters/partition_figures.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace heliograph::evaluation {
namespace {

using server::Grouping;

TEST(AdjustedMutualInformation, IsThatOfTheLiterature) {
  // The example of scikit-learn's own test, whose figure for the arithmetic mean is 0.27821.
  const Grouping a = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3};
  const Grouping b = {1, 1, 1, 1, 2, 1, 2, 2, 2, 2, 3, 1, 3, 3, 3, 2, 2};
  EXPECT_NEAR(AdjustedMutualInformation(a, b), 0.27821, 0.00001);
  EXPECT_NEAR(AdjustedMutualInformation(b, a), 0.27821, 0.00001);
}

TEST(AdjustedMutualInformation, IsOneForTheSameGroupsUnderOtherNumbers) {
  EXPECT_NEAR(AdjustedMutualInformation({0, 0, 1, 1, 2}, {5, 5, 3, 3, 0}), 1, 1e-9);
}

TEST(AdjustedMutualInformation, IsOneForWhatIsTrivialInTheSameWay) {
  EXPECT_DOUBLE_EQ(AdjustedMutualInformation({}, {}), 1);
  EXPECT_DOUBLE_EQ(AdjustedMutualInformation({7, 7, 7}, {1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(AdjustedMutualInformation({0, 1, 2}, {5, 4, 3}), 1);
}

TEST(AdjustedMutualInformation, IsZeroWhenOneSaysNothing) {
  EXPECT_NEAR(AdjustedMutualInformation({0, 0, 0, 0}, {0, 1, 2, 3}), 0, 1e-9);
  EXPECT_NEAR(AdjustedMutualInformation({0, 0, 1, 1}, {0, 1, 2, 3}), 0, 1e-9);
}

TEST(AdjustedMutualInformation, IsZeroOnAverageForUnrelatedGroups) {
  std::mt19937_64 random(1);
  double sum = 0;
  constexpr int kDraws = 200;
  for (int draw = 0; draw < kDraws; ++draw) {
    Grouping a, b;
    for (int i = 0; i < 60; ++i) {
      a.push_back(static_cast<std::uint32_t>(random() % 5));
      b.push_back(static_cast<std::uint32_t>(random() % 20));
    }
    sum += AdjustedMutualInformation(a, b);
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
}

}  // namespace
}  // namespace heliograph::evaluation
