#include "server/analytics/flood_worlds.h"

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

TEST(RelayGraph, KeepsTheBetterOfTwoLinksAndNoneToOneself) {
  const RelayGraph graph(3, {{0, 1, 0.25}, {0, 1, 0.75}, {1, 1, 1}, {2, 0, 0.5}});
  ASSERT_EQ(graph.links().size(), 2U);
  EXPECT_EQ(graph.links()[0].probability, 0.75);
  EXPECT_EQ(graph.Into(0).size(), 1U);
  EXPECT_EQ(graph.From(1).first, graph.From(1).last);
}

TEST(WorldCounter, CountsEachWorldByItself) {
  WorldCounter counter;
  for (int i = 0; i < 1000; ++i) counter.Add(i % 4 == 0 ? kEveryWorld : Worlds{2});
  EXPECT_EQ(counter.Count(0), 250U);
  EXPECT_EQ(counter.Count(1), 1000U);
  EXPECT_EQ(counter.Count(63), 250U);
}

TEST(DrawWorlds, MeetsTheProbability) {
  WorldRandom random(1);
  WorldCounter counter;
  for (int i = 0; i < 10'000; ++i) counter.Add(DrawWorlds(0.3, random));
  EXPECT_NEAR(static_cast<double>(counter.Count(7)), 3000, 200);
  EXPECT_EQ(DrawWorlds(0, random), 0U);
  EXPECT_EQ(DrawWorlds(1, random), kEveryWorld);
}

/// 0 - 1 - 2 - 3, all open.
class FloodOverAChain : public ::testing::Test {
 protected:
  FloodOverAChain() { floods_.SetOpenLinks(std::vector<Worlds>(graph_.links().size(), kEveryWorld)); }

  const RelayGraph graph_{4, {{0, 1, 1}, {1, 0, 1}, {1, 2, 1}, {2, 1, 1}, {2, 3, 1}, {3, 2, 1}}};
  FloodWorlds floods_{graph_, {true, true, true, true}};
  std::vector<Worlds> capable_ = std::vector<Worlds>(4, kEveryWorld);
};

TEST_F(FloodOverAChain, StopsAtFirmwareThatDropsIt) {
  capable_[2] = 5;
  const auto& reached = floods_.Run({.origin = 0, .multibyte = kEveryWorld}, capable_);
  EXPECT_EQ(reached[1], kEveryWorld);
  EXPECT_EQ(reached[3], 5U);
}

TEST_F(FloodOverAChain, PassesEveryoneWithHashesOfOneByte) {
  capable_[2] = 5;
  EXPECT_EQ(floods_.Run({.origin = 0, .multibyte = 1}, capable_)[3], kEveryWorld);
  capable_[2] = 4;
  EXPECT_EQ(floods_.Run({.origin = 0, .multibyte = 1}, capable_)[3], kEveryWorld & ~Worlds{1});
}

TEST_F(FloodOverAChain, EndsWhereNoMoreHopsFit) {
  const auto& reached =
      floods_.Run({.origin = 0, .multibyte = 2, .max_hops = 63, .max_multibyte_hops = 1}, capable_);
  EXPECT_EQ(reached[2], kEveryWorld);
  EXPECT_EQ(reached[3], kEveryWorld & ~Worlds{2});
}

TEST_F(FloodOverAChain, GoesOnFromARelayThatIsUpgraded) {
  capable_[1] = 0;
  std::vector<Worlds> reached = floods_.Run({.origin = 0, .multibyte = kEveryWorld}, capable_);
  EXPECT_EQ(reached[3], 0U);
  EXPECT_EQ(floods_.Arriving(1, reached, 0), kEveryWorld);
  int additions = 0;
  floods_.Spread(1, 6, kEveryWorld, capable_, reached, [&](GraphNode, Worlds) { ++additions; });
  EXPECT_EQ(reached[3], 6U);
  EXPECT_EQ(additions, 3);
}

}  // namespace
}  // namespace heliograph::server
