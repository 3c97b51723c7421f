#include "server/analytics/flood_window.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

class FloodWindowTest : public ::testing::Test {
 protected:
  void Hear(std::int64_t transmission, std::int64_t observer, Bytes path, std::int64_t second = 0,
            RouteType route = RouteType::kFlood, std::size_t size = 1) {
    Reception reception;
    reception.transmission = transmission;
    reception.observer = IdentityKey{observer};
    reception.received_at = AtSecond(second);
    reception.route = route;
    reception.type = PayloadType::kGroupText;
    reception.path_length = *PathLength::Of(size, path.size() / size);
    reception.path = path;
    window_.Add(reception);
  }

  std::vector<Flood> floods_;
  FloodWindow window_{[this](const Flood& flood) { floods_.push_back(flood); },
                      {.age = std::chrono::seconds(90), .floods = 3, .steps = 4}};
};

TEST_F(FloodWindowTest, OneSendingIsOneStepHoweverManyObserversReportIt) {
  Hear(1, 100, {0xA});
  Hear(1, 101, {0xA});
  Hear(1, 102, {0xA, 0xB});
  Hear(1, 103, {0xC});
  window_.HandOnAll();
  ASSERT_EQ(floods_.size(), 1U);
  ASSERT_EQ(floods_[0].steps.size(), 3U);
  EXPECT_EQ(floods_[0].steps[1].parent, 0);
  EXPECT_EQ(floods_[0].steps[2].parent, FloodStep::kOrigin);
  EXPECT_EQ(floods_[0].hearings.size(), 4U);
}

TEST_F(FloodWindowTest, AFloodIsHandedOnWhenItIsOlderThanTheWindow) {
  Hear(1, 100, {0xA}, 0);
  Hear(2, 100, {0xA}, 90);
  EXPECT_TRUE(floods_.empty());
  Hear(2, 101, {0xA}, 91);
  ASSERT_EQ(floods_.size(), 1U);
  EXPECT_EQ(floods_[0].transmission, 1);
}

TEST_F(FloodWindowTest, AboveTheLimitTheOldestGoes) {
  for (std::int64_t transmission = 1; transmission <= 5; ++transmission) Hear(transmission, 100, {0xA});
  EXPECT_EQ(window_.open_count(), 3U);
  ASSERT_EQ(floods_.size(), 2U);
  EXPECT_EQ(floods_[1].transmission, 2);
}

TEST_F(FloodWindowTest, AFloodThatIsNotTouchedBetweenTwoLooksIsHandedOn) {
  Hear(1, 100, {0xA});
  window_.HandOnIdle();
  Hear(2, 100, {0xA});
  EXPECT_TRUE(floods_.empty());
  window_.HandOnIdle();
  ASSERT_EQ(floods_.size(), 1U);
  EXPECT_EQ(floods_[0].transmission, 1);
}

TEST_F(FloodWindowTest, StepsBeyondTheLimitAreLeftOutWithTheirHearing) {
  Hear(1, 100, {1, 2, 3, 4, 5});
  window_.HandOnAll();
  EXPECT_EQ(floods_[0].steps.size(), 4U);
  EXPECT_TRUE(floods_[0].hearings.empty());
}

TEST_F(FloodWindowTest, WhatIsNoFloodIsPassedBy) {
  Hear(1, 100, {0xA}, 0, RouteType::kDirect);
  Hear(2, 100, {}, 0, RouteType::kTransportDirect);
  EXPECT_EQ(window_.open_count(), 0U);
}

}  // namespace
}  // namespace heliograph::server
