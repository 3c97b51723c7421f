#include "server/analytics/clusters/community_graph.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

PublicKey Key(std::uint8_t number) {
  return KeyThatBegins({number});
}

NeighborEdge Edge(std::uint8_t a, std::uint8_t b, double count, std::int64_t last_seen = 0) {
  return {Key(a), Key(b), count, 0, AtSecond(0), AtSecond(last_seen), 1, std::nullopt};
}

double WeightBetween(const ItemGraph& graph, std::uint8_t a, std::uint8_t b) {
  for (const WeightedEdge& edge : graph.edges()) {
    if (graph.keys()[edge.a] == Key(a).ToHex() && graph.keys()[edge.b] == Key(b).ToHex()) return edge.weight;
  }
  return 0;
}

TEST(CommunityGraph, WeighsAnEdgeByItsShareInTheLessBusyEnd) {
  NeighborGraph neighbors;
  neighbors.edges = {Edge(1, 2, 100), Edge(1, 3, 100), Edge(2, 9, 400), Edge(3, 9, 1600)};
  const ItemGraph graph = AsCommunityGraph(neighbors);
  EXPECT_DOUBLE_EQ(WeightBetween(graph, 1, 2), 0.5);        // 10 of the 20 of the first
  EXPECT_DOUBLE_EQ(WeightBetween(graph, 2, 9), 2.0 / 3);    // 20 of the 30 of the second
  EXPECT_DOUBLE_EQ(WeightBetween(graph, 3, 9), 40.0 / 50);  // of the third, for the ninth has 60
}

TEST(CommunityGraph, TellsNothingByHowMuchIsSent) {
  NeighborGraph quiet, busy;
  quiet.edges = {Edge(1, 2, 4), Edge(1, 3, 9), Edge(2, 3, 16)};
  busy.edges = {Edge(1, 2, 400), Edge(1, 3, 900), Edge(2, 3, 1600)};
  EXPECT_EQ(AsCommunityGraph(quiet).edges(), AsCommunityGraph(busy).edges());
}

TEST(CommunityGraph, LetsWhatIsSilentGo) {
  NeighborGraph neighbors;
  neighbors.data_time = AtSecond(8LL * 86'400);
  neighbors.edges = {Edge(1, 2, 1600, 0), Edge(1, 3, 100, 8LL * 86'400)};
  neighbors.edges.push_back(Edge(2, 3, 100, 8LL * 86'400));
  // Sixteen times the floods, halved four times.
  EXPECT_DOUBLE_EQ(WeightBetween(AsCommunityGraph(neighbors), 1, 2), 0.5);
  EXPECT_DOUBLE_EQ(WeightBetween(AsCommunityGraph(neighbors), 1, 3), 0.5);
}

TEST(CommunityGraph, KeepsAnEdgeOfAnyAge) {
  NeighborGraph neighbors;
  neighbors.data_time = AtSecond(100LL * 365 * 86'400);
  neighbors.edges = {Edge(1, 2, 1)};
  EXPECT_DOUBLE_EQ(WeightBetween(AsCommunityGraph(neighbors), 1, 2), 1);
}

}  // namespace
}  // namespace heliograph::server
