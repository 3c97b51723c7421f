#include "server/analytics/clusters/item_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "server/analytics/clusters/grouping.h"
#include "tests/unit/server/clusters/planted_graph.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ItemGraph, HasOneFormForEveryOrderOfItsInput) {
  const GraphInput input = RandomGroups(4, 10, 6, 2, 7);
  const ItemGraph graph = input.Build();
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const ItemGraph other = input.Shuffled(seed).Build();
    EXPECT_EQ(other.keys(), graph.keys());
    EXPECT_EQ(other.edges(), graph.edges());
    EXPECT_EQ(other.Digest(), graph.Digest());
  }
}

TEST(ItemGraph, AddsUpParallelEdgesAndLeavesLoopsOut) {
  const auto graph = ItemGraph::Build({"b", "a"}, {{0, 1, 1}, {1, 0, 2}, {0, 0, 5}});
  ASSERT_TRUE(graph);
  EXPECT_THAT(graph->edges(), ElementsAre(WeightedEdge{0, 1, 3}));
  EXPECT_EQ(graph->total_weight(), 3);
}

TEST(ItemGraph, DigestFollowsKeysAndWeights) {
  const auto digest = [](std::vector<std::string> keys, double weight) {
    return ItemGraph::Build(std::move(keys), {{0, 1, weight}})->Digest();
  };
  EXPECT_NE(digest({"a", "b"}, 1), digest({"a", "c"}, 1));
  EXPECT_NE(digest({"a", "b"}, 1), digest({"a", "b"}, 2));
  EXPECT_NE(digest({"a", "bc"}, 1), digest({"ab", "c"}, 1));
}

TEST(ItemGraph, RefusesAKeyThatIsThereTwice) {
  const auto graph = ItemGraph::Build({"x", "y", "x"}, {});
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error(), HasSubstr("x is there twice"));
}

TEST(ItemGraph, RefusesEdgesToNothing) {
  EXPECT_THAT(ItemGraph::Build({"a", "b"}, {{0, 2, 1}}).error(), HasSubstr("item 2 of 2"));
}

TEST(ItemGraph, RefusesWeightsThatAreNoPositiveNumber) {
  for (const double weight :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    EXPECT_FALSE(ItemGraph::Build({"a", "b"}, {{0, 1, weight}})) << weight;
}

TEST(ItemGraph, KnowsTheNeighborsOfAVertexInOrder) {
  GraphInput input;
  for (const char* key : {"a", "b", "c", "d"}) input.Add(key);
  input.Link(3, 1, 2);
  input.Link(1, 0, 1);
  input.Link(2, 1, 4);
  const ItemGraph graph = input.Build();
  std::vector<Vertex> neighbors;
  for (const auto& neighbor : graph.NeighborsOf(1)) neighbors.push_back(neighbor.vertex);
  EXPECT_THAT(neighbors, ElementsAre(0, 2, 3));
  EXPECT_EQ(graph.StrengthOf(1), 7);
}

TEST(Grouping, AGroupThatFallsApartIsSplit) {
  const ItemGraph graph = RingOfCliques(4, 3).Build();
  const Grouping opposite = {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1};
  EXPECT_FALSE(AreConnected(graph, opposite));
  const Grouping split = SplitIntoConnected(graph, opposite);
  EXPECT_THAT(split, ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3));
  EXPECT_TRUE(AreConnected(graph, split));
}

TEST(Grouping, ComponentsAreNumberedByTheirSmallestVertices) {
  GraphInput input;
  for (const char* key : {"a", "b", "c", "d", "e"}) input.Add(key);
  input.Link(1, 3);
  input.Link(0, 4);
  EXPECT_THAT(ComponentsOf(input.Build()), ElementsAre(0, 1, 2, 1, 0));
}

TEST(Grouping, RandIndexIsOneForTheSameGroupingUnderOtherNumbers) {
  EXPECT_DOUBLE_EQ(AdjustedRandIndex({0, 0, 1, 1, 2}, {5, 5, 0, 0, 9}), 1);
}

TEST(Grouping, RandIndexHasTheValueOfItsDefinition) {
  // Together in both: 2 pairs; in the first 4, in the second 3, of 15: (2 - 0.8) / (3.5 - 0.8).
  EXPECT_NEAR(AdjustedRandIndex({0, 0, 0, 1, 1, 2}, {0, 0, 1, 2, 2, 2}), (2 - 16.0 / 15) / (4 - 16.0 / 15),
              1e-12);
}

}  // namespace
}  // namespace heliograph::server
