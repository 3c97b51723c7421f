#include "server/analytics/clusters/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "server/analytics/clusters/igraph_session.h"
#include "tests/unit/server/clusters/planted_graph.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Partition Divide(const ItemGraph& graph, PartitionParameters parameters = {},
                 const FormerGroups& former = {}) {
  return DivideIntoClusters(graph, parameters, former, {}).value();
}

std::vector<std::string> KeysOf(const ItemGraph& graph, const Cluster& cluster) {
  std::vector<std::string> keys;
  for (const ClusterMember& member : cluster.members) keys.push_back(graph.keys()[member.vertex]);
  return keys;
}

FormerGroups GroupsOf(const ItemGraph& graph, const Partition& partition) {
  FormerGroups groups;
  for (const Cluster& cluster : partition.clusters) groups.push_back(KeysOf(graph, cluster));
  return groups;
}

/// Every vertex once, and every cluster held together by its own edges.
void ExpectSound(const ItemGraph& graph, const Partition& partition) {
  Grouping labels(graph.size(), std::numeric_limits<std::uint32_t>::max());
  std::size_t seen = partition.unclustered.size();
  for (std::uint32_t i = 0; i < partition.clusters.size(); ++i) {
    for (const ClusterMember& member : partition.clusters[i].members) {
      ASSERT_EQ(labels[member.vertex], std::numeric_limits<std::uint32_t>::max());
      labels[member.vertex] = i;
      ++seen;
    }
  }
  for (std::uint32_t i = 0; i < partition.unclustered.size(); ++i) {
    ASSERT_EQ(labels[partition.unclustered[i]], std::numeric_limits<std::uint32_t>::max());
    labels[partition.unclustered[i]] = static_cast<std::uint32_t>(partition.clusters.size()) + i;
  }
  EXPECT_EQ(seen, graph.size());
  EXPECT_TRUE(AreConnected(graph, labels));
}

TEST(Partition, FindsThePlantedGroups) {
  const ItemGraph graph = RingOfCliques(6, 5).Build();
  const Partition partition = Divide(graph);
  ASSERT_THAT(partition.clusters, SizeIs(6));
  EXPECT_THAT(KeysOf(graph, partition.clusters[2]),
              ElementsAre("g02-00", "g02-01", "g02-02", "g02-03", "g02-04"));
  EXPECT_THAT(partition.unclustered, IsEmpty());
}

TEST(Partition, IsTheSameForTheSameInput) {
  const ItemGraph graph = RandomGroups(8, 20, 5, 3, 11).Build();
  EXPECT_EQ(Divide(graph), Divide(graph));
}

TEST(Partition, IsTheSameForPermutedInput) {
  const GraphInput input = RandomGroups(8, 20, 5, 3, 12);
  const ItemGraph graph = input.Build();
  FormerGroups former = GroupsOf(graph, Divide(graph, {.resolution = 3}));
  const Partition partition = Divide(graph, {}, former);
  std::reverse(former.begin(), former.end());
  for (auto& group : former) std::reverse(group.begin(), group.end());
  for (const std::uint64_t seed : {1U, 2U, 3U})
    EXPECT_EQ(Divide(input.Shuffled(seed).Build(), {}, former), partition);
}

TEST(Partition, LeavesItemsAloneThatBelongNowhere) {
  GraphInput input = RingOfCliques(2, 4);
  const Vertex lone = input.Add("lone");
  const Vertex left = input.Add("pair-l"), right = input.Add("pair-r");
  input.Link(left, right);
  const ItemGraph graph = input.Build();
  EXPECT_THAT(Divide(graph).clusters, SizeIs(2));
  EXPECT_THAT(Divide(graph).unclustered, ElementsAre(lone, left, right));
  EXPECT_THAT(Divide(graph, {.min_size = 2}).clusters, SizeIs(3));
  EXPECT_THAT(Divide(graph, {.min_size = 1}).unclustered, ElementsAre(lone));
}

TEST(Partition, OfNothingIsEmpty) {
  const Partition partition = Divide(ItemGraph());
  EXPECT_THAT(partition.clusters, IsEmpty());
  EXPECT_EQ(partition.quality, 0);
}

TEST(Partition, GroupsOfTheStartThatFallApartDoNotSurvive) {
  const GraphInput input = RandomGroups(10, 20, 4, 1, 5);
  const ItemGraph graph = input.Build();
  FormerGroups former(5);  // each of two planted groups that have hardly an edge between them
  for (int group = 0; group < 10; ++group)
    for (int item = 0; item < 20; ++item)
      former[static_cast<std::size_t>(group % 5)].push_back(PlantedKey(group, item));
  for (const double resolution : {0.5, 1.0, 2.0, 4.0})
    ExpectSound(graph, Divide(graph, {.resolution = resolution, .runs = 3}, former));
}

TEST(Partition, StartsFromTheFormerGroups) {
  // At this resolution equal cliques in a ring are best joined in pairs, and there are two ways to do that.
  const ItemGraph graph = RingOfCliques(8, 3, 1).Build();
  for (const int shift : {0, 1}) {
    FormerGroups former(4);
    for (int group = 0; group < 8; ++group)
      for (int item = 0; item < 3; ++item)
        former[static_cast<std::size_t>((group + shift) % 8 / 2)].push_back(PlantedKey(group, item));
    for (auto& group : former) std::sort(group.begin(), group.end());
    EXPECT_THAT(GroupsOf(graph, Divide(graph, {.resolution = 0.6}, former)),
                ::testing::UnorderedElementsAreArray(former));
  }
}

TEST(Partition, FormerKeysThatAreGoneOrClaimedTwiceDoNoHarm) {
  const ItemGraph graph = RingOfCliques(3, 4).Build();
  const FormerGroups former = {{"gone", "g00-00", "g01-01"}, {"g00-00", "g02-02"}, {}, {"gone"}};
  EXPECT_EQ(GroupsOf(graph, Divide(graph, {}, former)), GroupsOf(graph, Divide(graph)));
}

TEST(Partition, StatesHowMuchOfAMemberBelongsToItsCluster) {
  const ItemGraph graph = RingOfCliques(2, 4, 1).Build();  // each clique has two bridges, at items 0 and 1
  const Partition partition = Divide(graph);
  ASSERT_THAT(partition.clusters, SizeIs(2));
  const Cluster& cluster = partition.clusters[0];
  EXPECT_DOUBLE_EQ(cluster.members[0].strength, 0.75);
  EXPECT_DOUBLE_EQ(cluster.members[2].strength, 1);
  EXPECT_DOUBLE_EQ(cluster.members[2].agreement, 1);
  EXPECT_DOUBLE_EQ(cluster.internal_weight, 6);
  EXPECT_DOUBLE_EQ(cluster.cut_weight, 2);
  EXPECT_DOUBLE_EQ(cluster.conductance, 2.0 / 14);
  EXPECT_DOUBLE_EQ(partition.mean_conductance, 2.0 / 14);
}

TEST(Partition, ItsModularityIsThatOfIgraph) {
  const ItemGraph graph = RandomGroups(5, 12, 4, 2, 3).Build();
  const Grouping labels = LeidenGraph(graph).Run({.resolution = 1.5, .seed = 4});
  const IgraphSession session(0);
  IgraphIntegers ends(session, graph.edges().size() * 2), membership(session, graph.size());
  std::vector<double> weights;
  for (std::size_t i = 0; i < graph.edges().size(); ++i) {
    ends[2 * i] = graph.edges()[i].a;
    ends[2 * i + 1] = graph.edges()[i].b;
    weights.push_back(graph.edges()[i].weight);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) membership[i] = labels[i];
  igraph_t oracle;
  session.Check(igraph_create(&oracle, ends.get(), static_cast<igraph_integer_t>(graph.size()), false),
                "create");
  igraph_real_t modularity = 0;
  session.Check(igraph_modularity(&oracle, membership.get(), IgraphReals(session, weights).get(), 1.5, false,
                                  &modularity),
                "modularity");
  igraph_destroy(&oracle);
  EXPECT_NEAR(QualityOf(graph, labels, Objective::kModularity, 1.5), modularity, 1e-12);
}

TEST(Partition, PottsObjectiveHasNoResolutionLimit) {
  // Modularity joins neighboring cliques of a long ring; 40 of size 3 are the textbook's example.
  const ItemGraph graph = RingOfCliques(40, 3, 1).Build();
  EXPECT_LT(Divide(graph).clusters.size(), 40U);
  EXPECT_THAT(Divide(graph, {.objective = Objective::kConstantPotts, .resolution = 0.5}).clusters,
              SizeIs(40));
}

TEST(Partition, RefusesParametersThatMakeNoSense) {
  const ItemGraph graph = RingOfCliques(2, 3).Build();
  for (const PartitionParameters& parameters :
       {PartitionParameters{.resolution = 0},
        PartitionParameters{.resolution = std::numeric_limits<double>::infinity()},
        PartitionParameters{.runs = 0}, PartitionParameters{.iterations = -1}}) {
    const auto partition = DivideIntoClusters(graph, parameters, {}, {});
    ASSERT_FALSE(partition);
    EXPECT_EQ(partition.error().fault, PartitionError::Fault::kParameters);
    EXPECT_THAT(partition.error().text, HasSubstr("must be"));
  }
}

TEST(Partition, EndsWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto partition = DivideIntoClusters(RingOfCliques(2, 3).Build(), {}, {}, stop.get_token());
  ASSERT_FALSE(partition);
  EXPECT_EQ(partition.error().fault, PartitionError::Fault::kCancelled);
}

RC_GTEST_PROP(PartitionProperty, IsSoundAndIndependentOfTheOrder, ()) {
  const int groups = *rc::gen::inRange(1, 6), size = *rc::gen::inRange(1, 12);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const double outside = *rc::gen::inRange(0, 4);
  const GraphInput input = RandomGroups(groups, size, 3, outside, seed);
  const ItemGraph graph = input.Build();
  const PartitionParameters parameters{.resolution = 0.5 + *rc::gen::inRange(0, 6) / 2.0, .runs = 4};
  const FormerGroups former = GroupsOf(graph, Divide(graph, {.resolution = 2, .runs = 1}));
  const Partition partition = Divide(graph, parameters, former);
  ExpectSound(graph, partition);
  RC_ASSERT(Divide(input.Shuffled(seed + 1).Build(), parameters, former) == partition);
}

}  // namespace
}  // namespace heliograph::server
