#include "server/state/flood_lane.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

namespace heliograph::server {
namespace {

Flood FloodOf(std::int64_t transmission) {
  Flood flood;
  flood.transmission = transmission;
  return flood;
}

TEST(FloodLane, TakesAllInTheirOrder) {
  std::vector<std::int64_t> taken, all(5000);
  std::iota(all.begin(), all.end(), 0);
  FloodLane lane([&](const Flood& flood) { taken.push_back(flood.transmission); });
  for (const std::int64_t number : all) lane.Put(FloodOf(number));
  lane.Finish();
  EXPECT_EQ(taken, all);
}

TEST(FloodLane, ThrowsWhatStoppedItWhenItIsFinished) {
  std::size_t taken = 0;
  FloodLane lane([&](const Flood& flood) {
    if (flood.transmission == 2) throw std::runtime_error("no memory");
    ++taken;
  });
  for (std::int64_t number = 0; number < 10; ++number) lane.Put(FloodOf(number));
  EXPECT_THROW(lane.Finish(), std::runtime_error);
  EXPECT_EQ(taken, 2U);
}

TEST(FloodLane, ThatIsLeftTakesWhatItWasGiven) {
  std::size_t taken = 0;
  {
    FloodLane lane([&](const Flood&) { ++taken; });
    for (std::int64_t number = 0; number < 10; ++number) lane.Put(FloodOf(number));
  }
  EXPECT_EQ(taken, 10U);
}

}  // namespace
}  // namespace heliograph::server
