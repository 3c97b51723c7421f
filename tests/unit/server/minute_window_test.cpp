#include "server/state/minute_window.h"

#include <gtest/gtest.h>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kMinute = 60'000;

TEST(MinuteWindow, CountsWhatLiesInsideAndForgetsTheRest) {
  MinuteWindow window(60);
  window.Add(At(0));
  window.Add(At(30 * kMinute));
  EXPECT_EQ(window.sum(), 2);
  window.AdvanceTo(At(61 * kMinute));
  EXPECT_EQ(window.sum(), 1);
  window.AdvanceTo(At(1000 * kMinute));
  EXPECT_EQ(window.sum(), 0);
}

TEST(MinuteWindow, TakesLateEventsThatStillLieInside) {
  MinuteWindow window(60);
  window.Add(At(100 * kMinute));
  window.Add(At(50 * kMinute));
  window.Add(At(30 * kMinute));
  EXPECT_EQ(window.sum(), 2);
}

TEST(MinuteWindow, NeverMovesBack) {
  MinuteWindow window(60);
  window.Add(At(100 * kMinute));
  window.AdvanceTo(At(0));
  EXPECT_EQ(window.sum(), 1);
}

TEST(MinuteWindow, WorksBefore1970) {
  MinuteWindow window(10);
  window.Add(UtcMillis(std::chrono::milliseconds(-1)));
  window.Add(UtcMillis(std::chrono::milliseconds(1)));
  EXPECT_EQ(window.sum(), 2);
}

}  // namespace
}  // namespace heliograph::server
