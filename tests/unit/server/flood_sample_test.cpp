#include "server/analytics/flood_sample.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

std::set<std::int64_t> Numbers(const FloodSample& sample, FloodClass flood_class) {
  std::set<std::int64_t> numbers;
  for (const Flood& flood : sample.Floods(flood_class)) numbers.insert(flood.transmission);
  return numbers;
}

Flood OneStep(std::int64_t transmission, std::uint8_t size = 1) {
  return FloodMaker(size, transmission).Path({std::vector<std::uint8_t>(size, 0xA)}, IdentityKey{1}).flood();
}

TEST(FloodSample, AllFloodsAreInWhileThereIsRoom) {
  FloodSample sample({.floods = 10, .steps = 100});
  for (std::int64_t transmission = 1; transmission <= 10; ++transmission) sample.Add(OneStep(transmission));
  EXPECT_EQ(sample.Floods(FloodClass::kOneByte).size(), 10U);
  EXPECT_EQ(sample.Scale(FloodClass::kOneByte), 1);
}

TEST(FloodSample, IsBoundedAndSaysWhatEachStandsFor) {
  FloodSample sample({.floods = 100, .steps = 1000});
  for (std::int64_t transmission = 1; transmission <= 5000; ++transmission) sample.Add(OneStep(transmission));
  const std::size_t kept = sample.Floods(FloodClass::kOneByte).size();
  EXPECT_LE(kept, 100U);
  EXPECT_GT(kept, 25U);
  EXPECT_NEAR(sample.Scale(FloodClass::kOneByte) * static_cast<double>(kept), 5000, 1e-6);
}

TEST(FloodSample, LongFloodsTakeMoreOfTheRoom) {
  FloodSample sample({.floods = 100, .steps = 50});
  for (std::int64_t transmission = 1; transmission <= 200; ++transmission) sample.Add(OneStep(transmission));
  EXPECT_LE(sample.Floods(FloodClass::kOneByte).size(), 50U);
}

TEST(FloodSample, TheOrderOfTheFloodsDoesNotMatter) {
  FloodSample forth({.floods = 50, .steps = 1000}), back({.floods = 50, .steps = 1000});
  for (std::int64_t transmission = 1; transmission <= 1000; ++transmission) {
    forth.Add(OneStep(transmission));
    back.Add(OneStep(1001 - transmission));
  }
  EXPECT_EQ(Numbers(forth, FloodClass::kOneByte), Numbers(back, FloodClass::kOneByte));
}

TEST(FloodSample, TheClassesHaveRoomOfTheirOwn) {
  FloodSample sample({.floods = 10, .steps = 100});
  for (std::int64_t transmission = 1; transmission <= 500; ++transmission) sample.Add(OneStep(transmission));
  sample.Add(OneStep(501, 2));
  EXPECT_EQ(Numbers(sample, FloodClass::kMultibyte), std::set<std::int64_t>{501});
}

}  // namespace
}  // namespace heliograph::server
