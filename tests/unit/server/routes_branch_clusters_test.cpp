#include <gmock/gmock.h>

#include "server/clusters/partition_comparison.h"
#include "tests/unit/server/clusters_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Two partitions -------------------------------------------------------------------------------------------

/// Members 1, 2, ... by the numbers of their tracks; 0: in none.
std::vector<MemberPlace> Places(const std::vector<int>& tracks) {
  std::vector<MemberPlace> places;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    places.push_back({static_cast<std::int64_t>(i) + 1, std::nullopt});
    if (tracks[i] != 0) places.back().track = tracks[i];
  }
  return places;
}

TEST(PartitionComparisonTest, PairsTheClustersThatShareMost) {
  const auto comparison = ComparePartitions(Places({1, 1, 1, 1, 2, 2, 3}), Places({1, 1, 5, 5, 5, 2, 0}));
  ASSERT_EQ(comparison.pairs.size(), 4U);
  const ClusterPair& first = comparison.pairs[0];
  EXPECT_EQ(first.first, 1);
  EXPECT_EQ(first.second, 1) << "of two that share as much, the one that is the same track";
  EXPECT_EQ(first.shared, 2);
  EXPECT_EQ(comparison.pairs[1].first, std::nullopt);
  EXPECT_EQ(comparison.pairs[1].second, 5);
  EXPECT_EQ(comparison.pairs[2].shared, 1);
  EXPECT_EQ(comparison.pairs[3].second, std::nullopt);
  std::vector<std::int64_t> moved;
  for (const MemberMove& move : comparison.moved) moved.push_back(move.member);
  EXPECT_THAT(moved, ElementsAre(3, 4, 5, 7));
}

TEST(PartitionComparisonTest, OtherNumbersForTheSameClustersAreNoMove) {
  const auto comparison = ComparePartitions(Places({1, 1, 2, 2, 0}), Places({8, 8, 7, 7, 0}));
  EXPECT_THAT(comparison.moved, IsEmpty());
  EXPECT_DOUBLE_EQ(comparison.adjusted_rand_index, 1);
  EXPECT_EQ(comparison.compared, 5);
}

TEST(PartitionComparisonTest, ANewcomerMovesOnlyIntoACluster) {
  auto second = Places({1, 1, 1, 0});
  const auto comparison = ComparePartitions(Places({1, 1}), second);
  ASSERT_EQ(comparison.moved.size(), 1U);
  EXPECT_EQ(comparison.moved[0].member, 3);
  EXPECT_EQ(comparison.compared, 2);
  EXPECT_THAT(ComparePartitions({}, {}).pairs, IsEmpty());
}

TEST(PartitionComparisonTest, ThoseInNoClusterAreAloneForTheIndex) {
  EXPECT_LT(ComparePartitions(Places({1, 1, 2, 2}), Places({1, 1, 0, 0})).adjusted_rand_index, 1);
  EXPECT_DOUBLE_EQ(ComparePartitions(Places({1, 1, 0, 0}), Places({4, 4, 0, 0})).adjusted_rand_index, 1);
}

// A branch -------------------------------------------------------------------------------------------------

class BranchClustersTest : public ClustersTest {
 protected:
  Json Diff(const std::string& query = {}) { return GetJson("/api/branches/what-if/diff?" + query); }
};

TEST_F(BranchClustersTest, TheDifferenceComparesClustersMembersAndMeasures) {
  ClusterSnapshot run = RunOf({kWest, kEast}, {20});
  run.quality = {{"quality", 0.4}, {"mean_conductance", 0.1}};
  Apply(run);
  const std::int64_t branch = AddBranch("what-if");
  run = RunOf({{1, 2, 3, 4}, {5, 6, 7}, kEast}, {20});
  run.quality = {{"quality", 0.6}, {"mean_conductance", 0.3}};
  run.parameters = R"({"resolution":4})";
  Apply(run, branch);
  const Json diff = Diff();
  const Json& clusters = diff.at("clusters");
  const Json& measures = clusters.at("measures");
  EXPECT_EQ(measures.at("main").at("clusters"), 2);
  EXPECT_EQ(measures.at("branch").at("clusters"), 3);
  EXPECT_EQ(measures.at("branch").at("clustered"), 11);
  EXPECT_EQ(measures.at("branch").at("branch"), "what-if");
  EXPECT_EQ(measures.at("branch").at("parameters").at("resolution"), 4);
  EXPECT_EQ(measures.at("branch").at("quality").at("mean_conductance"), 0.3);
  EXPECT_LT(measures.at("adjusted_rand_index"), 1.0);
  EXPECT_GT(measures.at("adjusted_rand_index"), 0.5);
  const Json& west = clusters.at("pairs").at("clusters").at(0);
  EXPECT_EQ(west.at("main").at("size"), 6);
  EXPECT_EQ(west.at("branch").at("size"), 4);
  EXPECT_EQ(west.at("main").at("id"), west.at("branch").at("id"));
  EXPECT_EQ(west.at("shared"), 4);
  EXPECT_EQ(west.at("left"), 2);
  EXPECT_EQ(west.at("joined"), 0);
  EXPECT_EQ(clusters.at("pairs").at("total"), 3);
  EXPECT_THAT(Column(clusters.at("moved").at("members"), "key"), ElementsAre(Hex(5), Hex(6), Hex(7)));
  EXPECT_EQ(clusters.at("moved").at("members").at(0).at("main"), west.at("main").at("id"));
  EXPECT_TRUE(clusters.at("moved").at("members").at(2).at("main").is_null());
}

TEST_F(BranchClustersTest, TheDifferenceListsTheEntitiesThatTheBranchChanged) {
  Apply(RunOf({kWest, kEast}));
  const std::int64_t branch = AddBranch("what-if");
  Apply(RunOf({{1, 2, 3}, {4, 5, 6}, kEast}), branch);
  Correct(R"({"action":"rename","cluster":"around-11","title":"East","reason":""})");
  const Json of_clusters = Diff("entity_kind=cluster").at("differences");
  std::map<std::string, int> changed;
  for (const Json& difference : of_clusters) ++changed[difference.at("changed_on").get<std::string>()];
  EXPECT_EQ(changed["main"], 1) << "the renamed one";
  EXPECT_GE(changed["branch"], 1) << "the new one";
  EXPECT_THAT(Column(Diff("entity_kind=cluster_decision").at("differences"), "changed_on"),
              ::testing::Each("branch"));
  EXPECT_THAT(Column(Diff("entity_kind=cluster_alias").at("differences"), "entity_id"),
              ElementsAre("around-11"));
}

TEST_F(BranchClustersTest, WhatPeopleCorrectedIsComparedAsItIsShown) {
  Apply(RunOf({kWest, kEast}, {20}));
  AddBranch("what-if");
  Correct(R"({"action":"exclude","cluster":"around-1","reason":"","members":[")" + Hex(6) + R"("]})");
  Correct(R"({"action":"include","cluster":"around-11","reason":"","members":[")" + Hex(20) + R"("]})");
  const Json clusters = Diff().at("clusters");
  EXPECT_THAT(Column(clusters.at("moved").at("members"), "key"), ElementsAre(Hex(6), Hex(20)));
  EXPECT_EQ(clusters.at("pairs").at("clusters").at(0).at("joined"), 1);
  EXPECT_EQ(clusters.at("pairs").at("clusters").at(1).at("left"), 1);
}

TEST_F(BranchClustersTest, ABranchWithoutARunOfItsOwnHasThatOfItsBase) {
  EXPECT_EQ(AddBranch("what-if"), 2);
  const Json nothing = Diff().at("clusters");
  EXPECT_TRUE(nothing.at("measures").at("main").is_null());
  EXPECT_TRUE(nothing.at("measures").at("adjusted_rand_index").is_null());
  Apply(queue::Kind::kBranchRequest, "branches", R"({"action":"delete","name":"what-if"})");
  Apply(RunOf({kWest, kEast}));
  AddBranch("what-if");
  Apply(RunOf({kWest}, kEast));
  const Json clusters = Diff().at("clusters");
  EXPECT_EQ(clusters.at("measures").at("branch").at("branch"), "main");
  EXPECT_EQ(clusters.at("measures").at("branch").at("run"), 1);
  EXPECT_EQ(clusters.at("measures").at("main").at("run"), 2);
  EXPECT_EQ(clusters.at("moved").at("total"), 4);
}

TEST_F(BranchClustersTest, ClustersAndMembersArePagedEachByItsCursor) {
  std::vector<std::vector<int>> clusters, others;
  for (int node = 1; node <= 27; node += 3) clusters.push_back({node, node + 1, node + 2});
  for (int node = 2; node <= 27; node += 3) others.push_back({node, node + 1, node + 2});
  Apply(RunOf(clusters));
  Apply(RunOf(others), AddBranch("what-if"));
  const Json whole = Diff().at("clusters");
  std::vector<Json> pairs;
  std::vector<std::string> members;
  for (std::string cursor; members.empty() || !cursor.empty();) {
    const Json page = Diff("limit=2&members_cursor=" + cursor).at("clusters").at("moved");
    EXPECT_LE(page.at("members").size(), 2U);
    for (const std::string& key : Column(page.at("members"), "key")) members.push_back(key);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  }
  for (std::string cursor; pairs.empty() || !cursor.empty();) {
    const Json page = Diff("limit=2&clusters_cursor=" + cursor).at("clusters").at("pairs");
    EXPECT_LE(page.at("clusters").size(), 2U);
    for (const Json& pair : page.at("clusters")) pairs.push_back(pair);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  }
  EXPECT_EQ(Json(pairs), whole.at("pairs").at("clusters"));
  EXPECT_EQ(pairs.size(), whole.at("pairs").at("total"));
  EXPECT_EQ(members, Column(whole.at("moved").at("members"), "key"));
  EXPECT_EQ(members.size(), whole.at("moved").at("total"));
  for (const std::string query : {"clusters_cursor=x", "members_cursor=x", "collection=stars"})
    GetJson("/api/branches/what-if/diff?" + query, 400);
}

TEST_F(BranchClustersTest, HiddenNodesAreNotAmongTheMembersThatMoved) {
  config_.node_blacklist = {Hex(6)};
  Apply(RunOf({kWest, kEast}));
  Apply(RunOf({{1, 2, 3, 4}, kEast}, {5, 6}), AddBranch("what-if"));
  EXPECT_THAT(Get("/api/branches/what-if/diff").Text(), Not(HasSubstr(Hex(6))));
  EXPECT_EQ(Diff().at("clusters").at("moved").at("total"), 1);
}

TEST_F(BranchClustersTest, AConflictSaysWhatItIsAbout) {
  const std::string id = Ulid::Generate(At(0)).ToText();
  mesh_.Run("INSERT INTO ledger(id, kind, applied_at, boot_id, outcome, reason, result) VALUES ('" + id +
            "', 'branch-request', 5, 'i', 'conflict', 'both have a new run', "
            "'{\"runs\":[{\"collection\":\"mesh\",\"base_run\":1,\"main_run\":3,\"branch_run\":2}]}')");
  const Json answer = GetJson("/api/requests/" + id);
  EXPECT_EQ(answer.at("outcome"), "conflict");
  EXPECT_EQ(answer.at("result").at("runs").at(0).at("collection"), "mesh");
  EXPECT_EQ(answer.at("result").at("runs").at(0).at("branch_run"), 2);
}

}  // namespace
}  // namespace heliograph::server
