#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/meshsim/flood.h"
#include "tests/meshsim/life.h"
#include "tests/meshsim/route.h"

namespace heliograph::meshsim {
namespace {

class FloodTest : public testing::Test {
 protected:
  static constexpr UtcMillis kStart{std::chrono::milliseconds(1'767'225'600'000)};

  FloodTest()
      : random_(3),
        world_(BuildWorld(2, {80, 0.4, 0, kStart, {}, 0, 0, 0}, random_)),
        observers_(ChooseObservers(world_, 20, random_.Fork(9))),
        states_(StatesAtStart(world_.nodes, kStart)) {}

  Propagation Run(NodeIndex origin, std::size_t hash_size, std::optional<std::size_t> region = std::nullopt) {
    Flood flood(world_, states_, ListenersOf(observers_));
    Propagation out;
    flood.Run(origin, {hash_size, 300, false}, region, kStart, random_, out);
    return out;
  }

  Random random_;
  World world_;
  ObserverSet observers_;
  NodeStates states_;
};

TEST_F(FloodTest, ANodeSendsAPacketOnce) {
  const Propagation out = Run(0, 1);
  std::set<NodeIndex> senders;
  for (const Sending& sending : out.sendings) EXPECT_TRUE(senders.insert(sending.node).second);
  EXPECT_GT(senders.size(), 5u);
}

TEST_F(FloodTest, OnlyRelaysForward) {
  const Propagation out = Run(0, 1);
  for (std::size_t i = 1; i < out.sendings.size(); ++i)
    EXPECT_TRUE(world_.nodes[out.sendings[i].node].relays);
}

TEST_F(FloodTest, LegacyFirmwareForwardsNoMultibyteFlood) {
  for (NodeIndex origin = 0; origin < world_.nodes.size(); ++origin) {
    const Propagation out = Run(origin, 2);
    for (std::size_t i = 1; i < out.sendings.size(); ++i) {
      EXPECT_EQ(states_[out.sendings[i].node].firmware, Firmware::kMultibyte);
    }
  }
}

TEST_F(FloodTest, LegacyObserversReportNoMultibyteFlood) {
  for (NodeIndex origin = 0; origin < world_.nodes.size(); ++origin) {
    if (states_[origin].firmware == Firmware::kLegacy) continue;  // it would send no such flood
    for (const Hearing& hearing : Run(origin, 3).hearings) {
      EXPECT_EQ(states_[hearing.listener].firmware, Firmware::kMultibyte);
    }
  }
}

TEST_F(FloodTest, AScopedFloodStaysInItsRegion) {
  const Propagation out = Run(0, 1, 0);
  for (const Sending& sending : out.sendings) EXPECT_EQ(world_.nodes[sending.node].region, 0u);
}

TEST_F(FloodTest, EachHopHeardAnEarlierSending) {
  const Propagation out = Run(0, 1);
  for (std::size_t i = 1; i < out.sendings.size(); ++i) {
    const Sending& before = out.sendings[static_cast<std::size_t>(out.sendings[i].heard_from)];
    EXPECT_EQ(out.sendings[i].hops, before.hops + 1);
    EXPECT_GT(out.sendings[i].at, before.at);
  }
}

TEST_F(FloodTest, FramesOfEqualStrengthThatOverlapDestroyEachOther) {
  world_.links = LinkTable({{{1, 10, 1, ~0u}, {2, 10, 1, ~0u}}, {{3, 5, 1, ~0u}}, {{3, 5, 1, ~0u}}, {}});
  world_.nodes.erase(world_.nodes.begin() + 4, world_.nodes.end());
  for (Node& node : world_.nodes) node.relays = true;
  NodeStates states(4);
  Flood flood(world_, states, {0, 0, 0, 1});
  Propagation out;
  int heard = 0, overlaps = 0;
  for (int i = 0; i < 200; ++i) {
    flood.Run(0, {1, 300, false}, std::nullopt, kStart, random_, out);
    ASSERT_GE(out.sendings.size(), 3u);
    const bool overlap = std::chrono::abs(out.sendings[1].at - out.sendings[2].at).count() < 300;
    EXPECT_EQ(out.hearings.empty(), overlap);
    (overlap ? overlaps : heard) += 1;
  }
  EXPECT_GT(heard, 20);
  EXPECT_GT(overlaps, 20);
}

TEST_F(FloodTest, AMuchStrongerFrameIsHeardThroughAnother) {
  world_.links = LinkTable({{{1, 10, 1, ~0u}, {2, 10, 1, ~0u}}, {{3, 11, 1, ~0u}}, {{3, 5, 1, ~0u}}, {}});
  world_.nodes.erase(world_.nodes.begin() + 4, world_.nodes.end());
  for (Node& node : world_.nodes) node.relays = true;
  NodeStates states(4);
  Flood flood(world_, states, {0, 0, 0, 1}, Attention::kFirstReception);
  Propagation out;
  for (int i = 0; i < 200; ++i) {
    flood.Run(0, {1, 300, false}, std::nullopt, kStart, random_, out);
    EXPECT_EQ(out.hearings.size(), 1u);
  }
}

TEST_F(FloodTest, WhoHearsNothingOfAChangeIsNotTouchedByIt) {
  NodeStates changed = states_;
  changed[5].up = false;
  Flood flood(world_, states_, ListenersOf(observers_)), other(world_, changed, ListenersOf(observers_));
  Propagation out, out_other;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed), again(seed);
    flood.Run(0, {1, 300, false}, std::nullopt, kStart, random, out);
    other.Run(0, {1, 300, false}, std::nullopt, kStart, again, out_other);
    if (std::ranges::count(out.sendings, NodeIndex{5}, &Sending::node) > 0) continue;
    EXPECT_EQ(out.sendings.size(), out_other.sendings.size());
    EXPECT_EQ(out.hearings.size(), out_other.hearings.size());
  }
}

TEST_F(FloodTest, ARouteForLargeHashesAvoidsLegacyRelays) {
  int routes = 0;
  for (NodeIndex to = 1; to < world_.nodes.size(); ++to) {
    const auto route = FindRoute(world_, states_, 0, to, 2);
    if (!route) continue;
    ++routes;
    for (NodeIndex hop : *route) EXPECT_EQ(states_[hop].firmware, Firmware::kMultibyte);
  }
  EXPECT_GT(routes, 5);
}

}  // namespace
}  // namespace heliograph::meshsim
