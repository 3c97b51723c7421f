#include "server/analytics/clusters/partition_constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "server/analytics/clusters/partition.h"
#include "tests/unit/server/clusters/planted_graph.h"

namespace heliograph::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Keys = std::vector<std::string>;

Partition Divide(const ItemGraph& graph, const PartitionConstraints& constraints,
                 const PartitionParameters& parameters = {}, const FormerGroups& former = {}) {
  return DivideUnder(constraints, graph, parameters, former, {}).value();
}

std::vector<Keys> ClustersOf(const ItemGraph& graph, const Partition& partition) {
  std::vector<Keys> clusters;
  for (const Cluster& cluster : partition.clusters) {
    Keys& keys = clusters.emplace_back();
    for (const ClusterMember& member : cluster.members) keys.push_back(graph.keys()[member.vertex]);
  }
  return clusters;
}

/// The whole group as RingOfCliques and RandomGroups name it.
Keys Planted(int group, int size) {
  Keys keys;
  for (int item = 0; item < size; ++item) keys.push_back(PlantedKey(group, item));
  return keys;
}

Keys operator+(Keys a, const Keys& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

PartitionConstraints Exclusion(Keys members, Keys body) {
  return {{}, {{"T1", std::move(members), std::move(body)}}};
}

TEST(PartitionConstraints, WhatPeoplePutTogetherIsOneClusterWithOrWithoutEdges) {
  const ItemGraph graph = RingOfCliques(4, 5).Build();
  const Partition partition = Divide(graph, {{Planted(0, 5) + Planted(2, 5)}, {}});
  EXPECT_THAT(ClustersOf(graph, partition),
              ElementsAre(Planted(0, 5) + Planted(2, 5), Planted(1, 5), Planted(3, 5)));
}

TEST(PartitionConstraints, AWholeGroupPutTogetherWeighsAsMuchAsItDidBefore) {
  const ItemGraph graph = RandomGroups(8, 20, 6, 1, 3).Build();
  const auto found = ClustersOf(graph, Divide(graph, {}));
  const Partition again = Divide(graph, {{found[0], found[1]}, {}}, {}, found);
  EXPECT_THAT(ClustersOf(graph, again), Contains(found[0]));
  EXPECT_THAT(ClustersOf(graph, again), Contains(found[1]));
  EXPECT_NEAR(again.quality, Divide(graph, {}).quality, 0.01);
}

TEST(PartitionConstraints, AMemberComesToWhomItIsPutTo) {
  const ItemGraph graph = RingOfCliques(4, 5).Build();
  const auto clusters = ClustersOf(graph, Divide(graph, {{{"g00-03", "g02-03"}}, {}}, {.resolution = 0.5}));
  const auto with = std::find_if(clusters.begin(), clusters.end(), [](const Keys& cluster) {
    return std::count(cluster.begin(), cluster.end(), "g00-03") > 0;
  });
  EXPECT_THAT(*with, Contains("g02-03"));
}

TEST(PartitionConstraints, WhomNobodyHearsIsInTheClusterAllTheSame) {
  GraphInput input = RingOfCliques(2, 4);
  input.Add("lone");
  const ItemGraph graph = input.Build();
  const Partition partition = Divide(graph, {{{"g00-00", "lone"}}, {}});
  EXPECT_THAT(ClustersOf(graph, partition), Contains(Planted(0, 4) + Keys{"lone"}));
  EXPECT_EQ(partition.clusters[0].members.back().strength, 0);
  EXPECT_THAT(partition.unclustered, IsEmpty());
}

TEST(PartitionConstraints, WhoIsKeptOutGoesToItsNextBestCluster) {
  GraphInput input = RingOfCliques(3, 5);
  const Vertex guest = input.Add("guest");
  for (Vertex i = 0; i < 4; ++i) input.Link(guest, i);
  input.Link(guest, 5, 0.4);   // group 1
  input.Link(guest, 10, 0.3);  // group 2, twice
  input.Link(guest, 11, 0.3);
  const ItemGraph graph = input.Build();
  EXPECT_THAT(ClustersOf(graph, Divide(graph, {})), Contains(Planted(0, 5) + Keys{"guest"}));
  const Partition partition = Divide(graph, Exclusion({"guest"}, Planted(0, 5)));
  EXPECT_THAT(ClustersOf(graph, partition), Contains(Planted(2, 5) + Keys{"guest"}));
}

TEST(PartitionConstraints, WhoIsKeptOutAndHasNobodyElseIsUnclustered) {
  const ItemGraph graph = RingOfCliques(3, 5).Build();
  const Partition partition = Divide(graph, Exclusion({"g00-03"}, Planted(0, 5)));
  ASSERT_THAT(partition.unclustered, SizeIs(1));
  EXPECT_EQ(graph.keys()[partition.unclustered[0]], "g00-03");
}

TEST(PartitionConstraints, WhatFallsApartWithoutAMemberIsDivided) {
  GraphInput input = RingOfCliques(1, 6);
  const Vertex bridge = input.Add("bridge");
  for (const char* name : {"x1", "x2"}) input.Link(bridge, input.Add(name), 9);
  for (Vertex i = 0; i < 6; ++i) input.Link(bridge, i, 9);
  const ItemGraph graph = input.Build();
  ASSERT_THAT(Divide(graph, {}, {.resolution = 0.1}).clusters, SizeIs(1));
  const Partition partition = Divide(graph, Exclusion({"bridge"}, Planted(0, 6)), {.resolution = 0.1});
  EXPECT_THAT(ClustersOf(graph, partition), ElementsAre(Planted(0, 6)));
  EXPECT_THAT(partition.unclustered, SizeIs(3));
}

TEST(PartitionConstraints, WhatPeopleSplitOffStaysAClusterHoweverSmall) {
  const ItemGraph graph = RingOfCliques(2, 6).Build();
  const Keys part{"g00-04", "g00-05"};
  const Keys rest{"g00-00", "g00-01", "g00-02", "g00-03"};
  const Partition partition = Divide(graph, {{part}, {{"T1", part, rest}}});
  EXPECT_THAT(ClustersOf(graph, partition), UnorderedElementsAre(Planted(1, 6), rest, part));
}

TEST(PartitionConstraints, AChangedConstraintIsAChangedInput) {
  const ItemGraph graph = RingOfCliques(3, 4).Build();
  const auto digest = [&](const PartitionConstraints& constraints) {
    return Divide(graph, constraints).input_digest;
  };
  const PartitionConstraints some{{{"g00-00", "g01-00"}}, {{"T1", {"g02-00"}, {"g02-01"}}}};
  PartitionConstraints other = some;
  EXPECT_EQ(digest({}), graph.Digest());
  EXPECT_NE(digest(some), digest({}));
  other.apart[0].cluster = "T2";
  EXPECT_NE(digest(other), digest(some));
  other = some;
  other.apart[0].members.push_back("g02-02");
  EXPECT_NE(digest(other), digest(some));
  other = some;
  other.together[0].push_back("g02-02");
  EXPECT_NE(digest(other), digest(some));
  other = some;
  other.together[0].push_back("gone");
  std::reverse(other.together[0].begin(), other.together[0].end());
  EXPECT_EQ(digest(other), digest(some));
}

/// Random constraints that can all be kept: whoever is kept out is not tied to a member of the body.
PartitionConstraints Arbitrary(const ItemGraph& graph, std::uint64_t seed) {
  std::mt19937_64 draw(seed);
  const auto any = [&](std::size_t most) { return static_cast<std::size_t>(draw() % most); };
  const auto key = [&] { return graph.keys()[any(graph.size())]; };
  PartitionConstraints constraints;
  std::map<std::string, std::size_t> tied;
  for (std::size_t i = 0, groups = any(4); i < groups; ++i) {
    Keys group;
    for (std::size_t n = 1 + any(4); n > 0; --n)
      if (const std::string drawn = key(); tied.try_emplace(drawn, i).second) group.push_back(drawn);
    constraints.together.push_back(group);
  }
  for (std::size_t i = 0, rules = any(5); i < rules; ++i) {
    std::set<std::string> members, body;
    for (std::size_t n = 1 + any(3); n > 0; --n) members.insert(key());
    std::set<std::size_t> ties;
    for (const std::string& member : members)
      if (const auto tie = tied.find(member); tie != tied.end()) ties.insert(tie->second);
    for (std::size_t n = any(12); n > 0; --n) {
      const std::string drawn = key();
      const auto tie = tied.find(drawn);
      if (!members.contains(drawn) && (tie == tied.end() || !ties.contains(tie->second))) body.insert(drawn);
    }
    constraints.apart.push_back(
        {"T" + std::to_string(i), {members.begin(), members.end()}, {body.begin(), body.end()}});
  }
  return constraints;
}

std::map<std::string, std::size_t> PlacesOf(const ItemGraph& graph, const Partition& partition) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < partition.clusters.size(); ++i)
    for (const ClusterMember& member : partition.clusters[i].members)
      RC_ASSERT(places.try_emplace(graph.keys()[member.vertex], i).second);
  for (const Vertex vertex : partition.unclustered)
    RC_ASSERT(places.try_emplace(graph.keys()[vertex], partition.clusters.size() + vertex).second);
  return places;
}

/// The cluster that most of the body are in; of several, the one with the smallest key.
std::optional<std::size_t> CarrierOf(const ItemGraph& graph, const Partition& partition,
                                     const std::map<std::string, std::size_t>& places, const Keys& body) {
  std::optional<std::size_t> carrier;
  long most = 0;
  std::string smallest;
  for (std::size_t i = 0; i < partition.clusters.size(); ++i) {
    const long count =
        std::count_if(body.begin(), body.end(), [&](const std::string& key) { return places.at(key) == i; });
    const std::string& first = graph.keys()[partition.clusters[i].members.front().vertex];
    if (count == 0 || count < most || (count == most && first > smallest)) continue;
    carrier = i;
    most = count;
    smallest = first;
  }
  return carrier;
}

RC_GTEST_PROP(PartitionConstraintsProperty, AreKeptAndNothingIsLostOrFallsApart, ()) {
  const int groups = *rc::gen::inRange(1, 6), size = *rc::gen::inRange(2, 12);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const GraphInput input = RandomGroups(groups, size, 3, *rc::gen::inRange(0, 4), seed);
  const ItemGraph graph = input.Build();
  const PartitionConstraints constraints = Arbitrary(graph, seed + 1);
  const PartitionParameters parameters{.resolution = 0.5 + *rc::gen::inRange(0, 6) / 2.0,
                                       .runs = *rc::gen::element(1, 4),
                                       .min_size = *rc::gen::element<std::size_t>(1, 2, 3, 5)};
  const FormerGroups former = ClustersOf(graph, Divide(graph, {}, {.resolution = 2, .runs = 1}));
  const Partition partition = Divide(graph, constraints, parameters, former);

  const auto places = PlacesOf(graph, partition);
  RC_ASSERT(places.size() == graph.size());
  GraphInput joined = input;  // what people put together counts as joined
  std::map<std::string, Vertex> vertices;
  for (Vertex i = 0; i < input.keys.size(); ++i) vertices[input.keys[i]] = i;
  for (const Keys& group : constraints.together) {
    for (const std::string& key : group) {
      joined.Link(vertices.at(key), vertices.at(group.front()));
      RC_ASSERT(places.at(key) == places.at(group.front()) || places.at(key) >= partition.clusters.size());
    }
  }
  const ItemGraph held = joined.Build();
  Grouping labels;
  for (const std::string& key : held.keys()) labels.push_back(static_cast<std::uint32_t>(places.at(key)));
  RC_ASSERT(AreConnected(held, labels));
  for (const PartitionConstraints::Apart& apart : constraints.apart) {
    const auto carrier = CarrierOf(graph, partition, places, apart.body);
    for (const std::string& member : apart.members) RC_ASSERT(!carrier || places.at(member) != *carrier);
  }

  PartitionConstraints shuffled = constraints;
  std::reverse(shuffled.together.begin(), shuffled.together.end());
  std::reverse(shuffled.apart.begin(), shuffled.apart.end());
  for (Keys& group : shuffled.together) std::reverse(group.begin(), group.end());
  RC_ASSERT(Divide(input.Shuffled(seed + 2).Build(), shuffled, parameters, former) == partition);
}

}  // namespace
}  // namespace heliograph::server
