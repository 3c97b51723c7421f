#include "server/analytics/topology/critical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "server/analytics/clusters/igraph_session.h"
#include "tests/unit/server/clusters/planted_graph.h"

namespace heliograph::server {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// a-b-c-d-e, and c-f-g-c on the side.
ItemGraph PathWithTriangle() {
  GraphInput input;
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g"}) input.Add(key);
  for (const auto& [x, y] :
       std::vector<std::pair<Vertex, Vertex>>{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {2, 5}, {5, 6}, {6, 2}})
    input.Link(x, y);
  return input.Build();
}

CriticalParts Measure(const ItemGraph& graph, std::uint64_t effort = kBetweennessEffort) {
  return FindCriticalParts(graph, effort, {}).value();
}

TEST(Cuts, BridgesSayHowManyTheyHold) {
  const ItemGraph graph = PathWithTriangle();
  const Cuts cuts = FindCuts(graph);
  std::vector<std::pair<std::string, std::size_t>> named;
  for (const BridgeEdge& bridge : cuts.bridges) {
    const WeightedEdge& edge = graph.edges()[bridge.edge];
    named.emplace_back(graph.keys()[edge.a] + graph.keys()[edge.b], bridge.cut_off);
  }
  using Named = std::pair<std::string, std::size_t>;
  EXPECT_THAT(named, ElementsAre(Named("ab", 1), Named("bc", 2), Named("cd", 2), Named("de", 1)));
}

TEST(Cuts, CutVerticesSayWhatFallsApart) {
  const Cuts cuts = FindCuts(PathWithTriangle());
  // Without c: {a, b}, {d, e}, {f, g}; of the 15 pairs of the six others 3 remain.
  EXPECT_THAT(cuts.cut_vertices,
              ElementsAre(CutVertex{1, 2, 1, 5}, CutVertex{2, 3, 4, 12}, CutVertex{3, 2, 1, 5}));
}

TEST(Cuts, ComponentsAreCountedApart) {
  GraphInput input = RingOfCliques(1, 3);
  input.Add("lone");
  const Cuts cuts = FindCuts(input.Build());
  EXPECT_THAT(cuts.components, ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(cuts.component_sizes, ElementsAre(3, 1));
  EXPECT_THAT(cuts.bridges, IsEmpty());
  EXPECT_THAT(cuts.cut_vertices, IsEmpty());
}

TEST(Coreness, IsThatOfTheWeakerEndForAnEdge) {
  const CriticalParts parts = Measure(PathWithTriangle());
  EXPECT_THAT(parts.coreness, ElementsAre(1, 1, 2, 1, 1, 2, 2));
  EXPECT_THAT(parts.edge_coreness, ElementsAre(1, 1, 1, 2, 2, 1, 2));
}

TEST(BetweennessOfAPath, IsTheShareOfPairsInBetween) {
  GraphInput input;
  for (const char* key : {"a", "b", "c"}) input.Add(key);
  input.Link(0, 1);
  input.Link(1, 2);
  const CriticalParts parts = Measure(input.Build());
  EXPECT_THAT(parts.betweenness.of_vertex, ElementsAre(0, 1, 0));
  EXPECT_THAT(parts.betweenness.of_edge, Each(DoubleNear(2.0 / 3, 1e-12)));
  EXPECT_TRUE(parts.betweenness.exact);
}

TEST(BetweennessOfASquare, StrongEdgesAreShortWays) {
  GraphInput input;
  for (const char* key : {"a", "b", "c", "d"}) input.Add(key);
  for (const auto& [x, y, weight] :
       std::vector<std::tuple<Vertex, Vertex, double>>{{0, 1, 1}, {1, 2, 1}, {2, 3, 0.1}, {3, 0, 0.1}})
    input.Link(x, y, weight);
  const CriticalParts parts = Measure(input.Build());
  EXPECT_GT(parts.betweenness.of_vertex[1], parts.betweenness.of_vertex[3]);
  EXPECT_EQ(parts.betweenness.of_vertex[3], 0);
}

TEST(BetweennessOfManyForksInARow, IsTheSameOnBothSidesOfEach) {
  // Each diamond doubles the ways through all before it: 2^1100 are more than a double can count.
  constexpr Vertex kDiamonds = 1100;
  GraphInput input;
  for (Vertex i = 0; i <= 3 * kDiamonds; ++i) input.Add(std::to_string(10'000 + i));
  for (Vertex start = 0; start < 3 * kDiamonds; start += 3)
    for (const Vertex side : {start + 1, start + 2}) {
      input.Link(start, side);
      input.Link(side, start + 3);
    }
  const Betweenness found = MeasureBetweenness(input.Build(), 0, 1, {}).value();
  for (const double share : found.of_vertex) ASSERT_TRUE(share >= 0 && share <= 1.2) << share;
  for (const Vertex start : {3U, 3 * (kDiamonds / 2), 3 * (kDiamonds - 2)}) {
    EXPECT_GT(found.of_vertex[start], 0);
    EXPECT_NEAR(found.of_vertex[start + 1], found.of_vertex[start + 2], 1e-3);
  }
  EXPECT_GT(found.of_vertex[3 * (kDiamonds / 2)], 0.4);
}

TEST(BetweennessOfALargeGraph, IsSampledWithAnErrorThatHolds) {
  const ItemGraph graph = RandomGroups(10, 30, 5, 1, 3).Build();
  const Betweenness exact = MeasureBetweenness(graph, kBetweennessEffort, 1, {}).value();
  const Betweenness sampled =
      MeasureBetweenness(graph, 100 * (300 + 2 * graph.edges().size()), 1, {}).value();
  ASSERT_TRUE(exact.exact);
  ASSERT_FALSE(sampled.exact);
  EXPECT_EQ(sampled.sources, 100U);
  for (std::size_t i = 0; i < graph.size(); ++i)
    EXPECT_NEAR(sampled.of_vertex[i], exact.of_vertex[i], sampled.error) << i;
  EXPECT_LT(sampled.error, *std::max_element(exact.of_vertex.begin(), exact.of_vertex.end()) / 2);
  EXPECT_EQ(exact.error, 0);
}

TEST(CriticalParts, OfNothingAreNothing) {
  const CriticalParts parts = Measure(ItemGraph());
  EXPECT_THAT(parts.cuts.components, IsEmpty());
  EXPECT_THAT(parts.betweenness.of_vertex, IsEmpty());
}

TEST(CriticalParts, EndWhenTheyAreStopped) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(FindCriticalParts(PathWithTriangle(), kBetweennessEffort, stop.get_token()));
}

RC_GTEST_PROP(CriticalPartsProperty, AgreeWithIgraph, ()) {
  const ItemGraph graph = RandomGroups(*rc::gen::inRange(1, 6), *rc::gen::inRange(2, 8), 2.2,
                                       *rc::gen::inRange(0, 3) / 2.0, *rc::gen::arbitrary<std::uint64_t>())
                              .Build();
  const CriticalParts parts = Measure(graph);
  const IgraphSession session(0);
  const IgraphGraph igraph(session, graph);
  const auto sorted = [&](auto function) {
    IgraphIntegers found(session, 0);
    session.Check(function(igraph.get(), found.get()), "cuts");
    std::vector<std::uint32_t> values;
    for (igraph_integer_t i = 0; i < igraph_vector_int_size(found.get()); ++i)
      values.push_back(static_cast<std::uint32_t>(found[static_cast<std::size_t>(i)]));
    std::sort(values.begin(), values.end());
    return values;
  };
  std::vector<std::uint32_t> bridges, cut_vertices;
  for (const BridgeEdge& bridge : parts.cuts.bridges) bridges.push_back(bridge.edge);
  for (const CutVertex& cut : parts.cuts.cut_vertices) cut_vertices.push_back(cut.vertex);
  RC_ASSERT(bridges == sorted(igraph_bridges));
  RC_ASSERT(cut_vertices == sorted(igraph_articulation_points));
}

RC_GTEST_PROP(BetweennessProperty, AgreesWithIgraphWhereEveryEdgeIsAsLong, ()) {
  GraphInput input = RandomGroups(*rc::gen::inRange(1, 6), *rc::gen::inRange(2, 8), 4, 1,
                                  *rc::gen::arbitrary<std::uint64_t>());
  std::set<std::pair<Vertex, Vertex>> distinct;
  for (const WeightedEdge& edge : input.edges) distinct.insert(std::minmax(edge.a, edge.b));
  input.edges.clear();
  for (const auto& [a, b] : distinct) input.Link(a, b);
  const ItemGraph graph = input.Build();
  const auto found = MeasureBetweenness(graph, kBetweennessEffort, 0, {}).value();
  const IgraphSession session(0);
  const IgraphGraph igraph(session, graph);
  igraph_vector_t oracle;
  session.Check(igraph_vector_init(&oracle, 0), "a vector");
  session.Check(igraph_betweenness(igraph.get(), &oracle, igraph_vss_all(), false, nullptr), "betweenness");
  const auto n = static_cast<double>(graph.size());
  for (std::size_t i = 0; i < graph.size(); ++i)
    RC_ASSERT(n < 3 || std::abs(found.of_vertex[i] - VECTOR(oracle)[i] * 2 / ((n - 1) * (n - 2))) < 1e-9);
  igraph_vector_destroy(&oracle);
}

}  // namespace
}  // namespace heliograph::server
