#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "tests/meshsim/line_text.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {
namespace {

TEST(Random, IsXoshiro256StarStarSeededBySplitMix) {
  Random random(0);
  EXPECT_EQ(random.Next(), 0x99EC5F36CB75F2B4u);  // the reference implementation's first output for seed 0
}

TEST(Random, ForksDoNotDependOnWhatWasDrawnElsewhere) {
  const Random root(5);
  Random first = root.Fork(1), second = root.Fork(2), again = root.Fork(1);
  second.Next();
  const auto value = first.Next();
  EXPECT_EQ(value, again.Next());
  EXPECT_NE(value, root.Fork(2).Next());
}

TEST(Random, NormalHasTheMomentsItPromises) {
  Random random(11);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.Normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
}

TEST(Random, ScrambledCountersDoNotRepeat) {
  std::set<std::uint32_t> tags;
  for (std::uint32_t i = 0; i < 100'000; ++i) EXPECT_TRUE(tags.insert(Scramble(i)).second);
}

TEST(LineText, QuartersKeepTheDecimalsTheyNeed) {
  std::string text;
  for (const double value : {-7.25, 3.0, 0.5, -0.25}) {
    AppendQuarters(text, value);
    text += ' ';
  }
  EXPECT_EQ(text, "-7.25 3.0 0.5 -0.25 ");
}

TEST(LineText, TimesAreWrittenToTheMillisecond) {
  std::string text;
  const UtcMillis time{std::chrono::milliseconds(1'767'225'600'007)};
  AppendSeconds(text, time);
  AppendFraction(text, time);
  EXPECT_EQ(text, "2026-01-01T00:00:00.007");
}

}  // namespace
}  // namespace heliograph::meshsim
