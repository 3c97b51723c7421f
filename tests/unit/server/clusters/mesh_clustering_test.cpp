#include "server/analytics/clusters/mesh_clustering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "server/analytics/clusters/mesh_run.h"
#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Two groups of four nodes that all hear each other, one link between the groups, and a node that nobody
/// hears.
class MeshClusteringTest : public ::testing::Test {
 protected:
  MeshClusteringTest() {
    graph_.epoch = dbschema::ReadMeta(observatory_.database(), "epoch");
    graph_.watermark = 9;
    graph_.data_time = At(0);
    view_ = std::make_shared<MeshView>();
    view_->data_time = At(0);
    for (const int group : {1, 2})
      for (int item = 1; item <= 4; ++item) AddNode(group, item);
    AddNode(3, 1);
    for (const int group : {1, 2})
      for (int i = 1; i <= 4; ++i)
        for (int j = i + 1; j <= 4; ++j) Link(KeyOf({group, i}), KeyOf({group, j}), i == 1 ? 100 : 50);
    Link(KeyOf({1, 1}), KeyOf({2, 1}), 10);
    std::sort(graph_.edges.begin(), graph_.edges.end(),
              [](const auto& x, const auto& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
    publisher_ = *queue::Publisher::Open(observatory_.volume(), "boot");
  }

  void AddNode(int group, int item) {
    NodeView node;
    node.public_key = KeyOf({group, item});
    node.name = "n" + std::to_string(group) + std::to_string(item);
    node.role = "repeater";
    node.last_seen = At(0);
    view_->node_index.emplace(node.public_key, view_->nodes.size());
    view_->nodes.push_back(std::make_shared<const NodeView>(node));
  }
  void Link(const PublicKey& a, const PublicKey& b, double count) {
    graph_.edges.push_back({a, b, count, 0, At(0), At(0), 3, 5.0});
  }
  ClusterSnapshot Compute(const FormerGroups& former = {}, const PartitionConstraints& constraints = {}) {
    return ComputeMeshRun(graph_, *view_, {}, former, constraints,
                          [this](const PublicKey& key, const NodeView*) { return !hidden_.contains(key); },
                          {})
        .value();
  }
  MeshClustering Clustering() { return MeshClustering(jobs_, *publisher_, readers_); }
  void Show() { board_.Show(MakeNeighborView(graph_, false, {}).value()); }
  std::vector<ClusterSnapshot> Published() {
    std::vector<ClusterSnapshot> runs;
    const auto waiting = publisher_->Outstanding(kMeshClusterStream);
    for (const auto& file : *waiting)
      runs.push_back(DecodeClusterSnapshot(publisher_->Read(file.name)->payload).value());
    return runs;
  }

  Observatory observatory_;
  ReaderPool readers_{observatory_.file()};
  std::unique_ptr<queue::Publisher> publisher_;
  NeighborBoard board_;
  NeighborGraph graph_;
  std::shared_ptr<MeshView> view_;
  std::set<PublicKey> hidden_;
  MeshJobs jobs_{[this] { return view_; },
                 board_,
                 readers_,
                 {},
                 [this](const PublicKey& key, const NodeView*) { return !hidden_.contains(key); }};
};

TEST_F(MeshClusteringTest, ARunNamesItsClustersAndWhoBelongsNowhere) {
  const ClusterSnapshot run = Compute();
  ASSERT_THAT(run.clusters, SizeIs(2));
  EXPECT_THAT(run.clusters[0].members, SizeIs(4));
  EXPECT_EQ(run.clusters[0].representative, KeyOf({1, 1}).ToHex());
  EXPECT_EQ(run.clusters[0].label, "n11 / n12");
  EXPECT_EQ(run.clusters[0].members[1].strength, 1);
  EXPECT_LT(run.clusters[0].members[0].strength, 1);
  EXPECT_THAT(run.unclustered, ElementsAre(KeyOf({3, 1}).ToHex()));
  EXPECT_EQ(run.watermark, 9);
  EXPECT_EQ(run.data_time, At(0));
}

TEST_F(MeshClusteringTest, ANodeThatFellSilentRepresentsNobody) {
  auto silent = std::make_shared<NodeView>(*view_->nodes[0]);
  silent->last_seen = At(-25LL * 3'600'000);
  view_->nodes[0] = silent;
  EXPECT_EQ(Compute().clusters[0].representative, KeyOf({1, 2}).ToHex());
}

TEST_F(MeshClusteringTest, WhoIsHiddenNeitherNamesNorRepresentsACluster) {
  hidden_ = {KeyOf({1, 1})};
  const SnapshotCluster cluster = Compute().clusters[0];
  EXPECT_EQ(cluster.representative, KeyOf({1, 2}).ToHex());
  EXPECT_EQ(cluster.label, "n12 / n13");
  EXPECT_THAT(cluster.members, SizeIs(4));
}

TEST_F(MeshClusteringTest, AClusterWhoseMembersAreAllHiddenHasNoLabel) {
  for (int item = 1; item <= 4; ++item) hidden_.insert(KeyOf({1, item}));
  EXPECT_EQ(Compute().clusters[0].label, "");
}

TEST_F(MeshClusteringTest, TheSameInputGivesTheSameRun) {
  const std::string text = EncodeClusterSnapshot(Compute());
  EXPECT_EQ(EncodeClusterSnapshot(Compute()), text);
  EXPECT_TRUE(DecodeClusterSnapshot(text));
}

TEST_F(MeshClusteringTest, WhatPeopleDecidedShapesTheRun) {
  const PublicKey guest = KeyOf({1, 4}), lone = KeyOf({3, 1});
  Link(guest, KeyOf({2, 4}), 20);
  std::sort(graph_.edges.begin(), graph_.edges.end(),
            [](const auto& x, const auto& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
  std::vector<std::string> first;
  for (const int item : {1, 2, 3}) first.push_back(KeyOf({1, item}).ToHex());
  const PartitionConstraints constraints{{{KeyOf({1, 2}).ToHex(), lone.ToHex()}},
                                         {{"T1", {guest.ToHex()}, first}}};
  const ClusterSnapshot run = Compute({}, constraints);
  ASSERT_THAT(run.clusters, SizeIs(2));
  std::vector<std::string> members;
  for (const SnapshotMember& member : run.clusters[0].members) members.push_back(member.key);
  first.push_back(lone.ToHex());
  EXPECT_THAT(members, ::testing::UnorderedElementsAreArray(first));
  EXPECT_THAT(run.clusters[1].members, SizeIs(5));
  EXPECT_NE(run.input_digest, Compute().input_digest);
  EXPECT_TRUE(DecodeClusterSnapshot(EncodeClusterSnapshot(run)));
}

TEST_F(MeshClusteringTest, PublishesARunAndLeavesOneFileWaitingAtMost) {
  Show();
  MeshClustering clustering = Clustering();
  ASSERT_EQ(clustering.Run({}).result, Result::kPublished);
  EXPECT_THAT(Published(), ElementsAre(Compute()));
  EXPECT_EQ(clustering.Run({}).result, Result::kPending);
  EXPECT_THAT(Published(), SizeIs(1));
}

TEST_F(MeshClusteringTest, WaitsUntilThePacketsAreRead) {
  EXPECT_EQ(Clustering().Run({}).result, Result::kNotComplete);
  board_.Show(MakeNeighborView(graph_, true, {}).value());
  EXPECT_EQ(Clustering().Run({}).result, Result::kNotComplete);
}

TEST_F(MeshClusteringTest, NothingFoundIsNotPublished) {
  graph_.edges = {graph_.edges.front()};
  Show();
  EXPECT_EQ(Clustering().Run({}).result, Result::kUnchanged);
  graph_.edges.clear();
  Show();
  EXPECT_EQ(Clustering().Run({}).result, Result::kNotComplete);
  EXPECT_THAT(Published(), IsEmpty());
}

class MeshJobsTest : public MeshClusteringTest {
 protected:
  MeshJobsTest() { Show(); }
  tl::expected<ClusterJobResult, std::string> Order(const std::string& parameters = "{}") {
    ClusterJobOrder order;
    order.parameters = parameters;
    JobProgress progress;
    return jobs_.Compute(order, progress, {});
  }
  std::string ObjectionTo(const std::string& parameters) {
    ClusterJobOrder order;
    order.parameters = parameters;
    return jobs_.Objection(order).value_or("");
  }
};

TEST_F(MeshJobsTest, ARunSaysWhatItRestsOn) {
  const auto result = Order();
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->epoch, graph_.epoch);
  EXPECT_EQ(result->base_seq, observatory_.Ask("SELECT head_seq FROM branch WHERE branch_id=1"));
  EXPECT_EQ(result->snapshot->watermark, 9);
}

TEST_F(MeshJobsTest, AGraphOfAnotherDatabaseIsNotDivided) {
  graph_.epoch = "the one before";
  Show();
  const auto result = Order();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error(), HasSubstr("replaced"));
}

TEST_F(MeshJobsTest, ARunIsMatchedAsConfiguredUnlessTheOrderSaysOtherwise) {
  EXPECT_EQ(Order()->snapshot->match_rule, MatchRule::kMemory);
  EXPECT_EQ(Order(R"({"match_rule":"plain-jaccard"})")->snapshot->match_rule, MatchRule::kPlainJaccard);
  Config config;
  config.clusters.match_rule = MatchRule::kPlainJaccard;
  const MeshJobs plain([this] { return view_; }, board_, readers_, MeshDivisionOf(config),
                       [](const PublicKey&, const NodeView*) { return true; });
  JobProgress progress;
  EXPECT_EQ(plain.Compute({}, progress, {})->snapshot->match_rule, MatchRule::kPlainJaccard);
  ClusterJobOrder memory;
  memory.parameters = R"({"match_rule":"memory"})";
  EXPECT_EQ(plain.Compute(memory, progress, {})->snapshot->match_rule, MatchRule::kMemory);
}

TEST_F(MeshJobsTest, ObjectsToWhatNoRunUnderstandsBeforeItRuns) {
  EXPECT_EQ(ObjectionTo(R"({"resolution":3,"runs":2,"min_size":4,"match_rule":"memory"})"), "");
  EXPECT_THAT(ObjectionTo(R"({"resolution":-1})"), HasSubstr("resolution"));
  EXPECT_THAT(ObjectionTo(R"({"match_rule":"luck"})"), HasSubstr("match_rule"));
  const std::string objection = ObjectionTo(R"({")" + std::string(3000, 'x') + R"(":1})");
  EXPECT_THAT(objection, HasSubstr("not known"));
  EXPECT_LT(objection.size(), 200U);
  ClusterJobOrder items;
  items.collection = ClusterCollection::kItems;
  EXPECT_TRUE(jobs_.Objection(items));
}

TEST_F(MeshJobsTest, StatisticsSayHowManyAreClusteredAndHowLongItTook) {
  const auto statistics = nlohmann::json::parse(Order()->statistics);
  EXPECT_EQ(statistics.at("clusters"), 2);
  EXPECT_EQ(statistics.at("clustered"), 8);
  EXPECT_EQ(statistics.at("unclustered"), 1);
  EXPECT_EQ(statistics.at("missing"), 0);
  EXPECT_EQ(statistics.at("edges"), 13);
  EXPECT_GE(statistics.at("duration_ms"), 0);
}

}  // namespace
}  // namespace heliograph::server
