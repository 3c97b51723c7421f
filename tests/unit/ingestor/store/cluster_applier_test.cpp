#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ingestor/store/cluster_volume.h"

namespace heliograph::ingestor {
namespace {

using ::testing::HasSubstr;

class ClusterApplierTest : public ClusterVolumeTest {};

const std::vector<int> kWest{1, 2, 3, 4, 5, 6}, kEast{11, 12, 13, 14, 15};

TEST_F(ClusterApplierTest, AppliesARunAsOneCommit) {
  EXPECT_EQ(Applied(RunOf({kWest, kEast}, {20})), "applied");
  EXPECT_EQ(Text("SELECT cluster_count || ' ' || member_count || ' ' || unclustered_count FROM cluster_runs"),
            "2 11 1");
  EXPECT_EQ(Text("SELECT active_run FROM cluster_state"), "1");
  EXPECT_EQ(Count("cluster_tracks"), 2);
  EXPECT_EQ(Count("cluster_merge_decisions WHERE outcome='new' AND class='birth'"), 2);
  EXPECT_EQ(Text("SELECT title FROM cluster_track_states WHERE slug='around-11'"), "Around 11");
  EXPECT_EQ(Count("commit_log"), 2);
}

TEST_F(ClusterApplierTest, KeepsTheTracksOverARestart) {
  Applied(RunOf({kWest, kEast}));
  const std::string west = TrackOf(1), east = TrackOf(11);
  Restart();
  EXPECT_EQ(Applied(RunOf({{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, {1, 2, 3, 4}})), "applied");
  EXPECT_EQ(TrackOf(1), west);
  EXPECT_EQ(TrackOf(20), east);
  EXPECT_EQ(Text("SELECT previous_run FROM cluster_state"), "1");
}

TEST_F(ClusterApplierTest, RemembersAfterARestartWhatItRemembersWithoutOne) {
  const std::vector<std::vector<std::vector<int>>> history{
      {kWest, kEast}, {{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15}}, {kWest, kEast}, {kWest}, {kWest},
      {kWest, kEast}};
  for (const bool restart : {false, true}) {
    SCOPED_TRACE(restart);
    for (const auto& clusters : history) {
      if (restart) Restart();
      Applied(RunOf(clusters));
    }
    EXPECT_EQ(Count("cluster_tracks"), 2);
    EXPECT_EQ(StatusOf(TrackOf(11)), "active");
  }
}

TEST_F(ClusterApplierTest, TakesAMergeBackThatDidNotLast) {
  Applied(RunOf({kWest, kEast}));
  const std::string west = TrackOf(1), east = TrackOf(11);
  Applied(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15}}));
  EXPECT_EQ(StatusOf(east), "merged");
  EXPECT_EQ(Count("cluster_decision_states WHERE to_seq IS NULL AND state='tentative'"), 2);
  Applied(RunOf({kWest, kEast}));
  EXPECT_EQ(TrackOf(11), east);
  EXPECT_EQ(StatusOf(east), "active");
  EXPECT_EQ(Count("cluster_decision_states WHERE to_seq IS NULL AND state='reverted'"), 2);
}

TEST_F(ClusterApplierTest, ConfirmsAMergeThatLasts) {
  Applied(RunOf({kWest, kEast}));
  const std::string east = TrackOf(11);
  const std::vector<int> whole{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15};
  Applied(RunOf({whole}));
  EXPECT_EQ(Applied(RunOf({whole})), "applied");
  EXPECT_EQ(Count("cluster_decision_states WHERE to_seq IS NULL AND state='confirmed'"), 2);
  Applied(RunOf({kWest, kEast}));
  EXPECT_NE(TrackOf(11), east);
  EXPECT_EQ(StatusOf(east), "merged");
}

TEST_F(ClusterApplierTest, FindsNothingNewInTheSameRunAgain) {
  Applied(RunOf({kWest, kEast}));
  EXPECT_EQ(Applied(RunOf({kEast, kWest})), "noop");
  EXPECT_EQ(Count("cluster_runs"), 1);
  EXPECT_EQ(Count("commit_log"), 2);
}

TEST_F(ClusterApplierTest, NeverFlipsToARunWithoutClusters) {
  Applied(RunOf({kWest}));
  EXPECT_EQ(Applied(RunOf({}, kWest)), "noop");
  EXPECT_EQ(Text("SELECT active_run FROM cluster_state"), "1");
}

TEST_F(ClusterApplierTest, RejectsARunThatNamesANodeThatNobodyHasMet) {
  const auto id = Publish(RunOf({kWest, {90}}));
  Apply();
  EXPECT_EQ(OutcomeOf(id), "rejected");
  EXPECT_THAT(ReasonOf(id), HasSubstr("nobody has met"));
  EXPECT_EQ(Count("cluster_runs"), 0);
}

TEST_F(ClusterApplierTest, RejectsARunWithAnotherWatermarkThanItsFile) {
  auto snapshot = RunOf({kWest});
  snapshot.watermark -= 1;
  EXPECT_EQ(Applied(snapshot), "rejected");
}

TEST_F(ClusterApplierTest, LeavesWhatAPartialRunDidNotLookAt) {
  Applied(RunOf({kWest, kEast}, {20}));
  const std::string west = TrackOf(1), east = TrackOf(11);
  auto partial = RunOf({{1, 2, 7}});
  partial.coverage = RunCoverage::kPartial;
  EXPECT_EQ(Applied(partial), "applied");
  EXPECT_EQ(TrackOf(7), west);
  EXPECT_EQ(TrackOf(6), west);
  EXPECT_EQ(TrackOf(15), east);
  EXPECT_EQ(Text("SELECT cluster_count || ' ' || member_count || ' ' || unclustered_count FROM cluster_runs"
                 " WHERE run_id=2"),
            "2 12 1");
}

TEST_F(ClusterApplierTest, MatchesItemsLikeNodes) {
  ClusterSnapshot snapshot = RunOf({});
  snapshot.collection = ClusterCollection::kItems;
  SnapshotCluster cluster;
  for (const char* item : {"github:1", "github:2"}) cluster.members.push_back({item, 1});
  cluster.representative = "github:1";
  snapshot.clusters = {cluster};
  EXPECT_EQ(Applied(snapshot), "applied");
  EXPECT_EQ(Count("item_identity"), 2);
  EXPECT_EQ(Text("SELECT slug FROM cluster_track_states"), "items-1");
}

TEST_F(ClusterApplierTest, KeepsTheRepresentativeWhileNobodyIsClearlyFirmer) {
  Applied(RunOf({kWest}));
  auto next = RunOf({{1, 2, 3, 4, 5, 6, 7}});
  next.clusters[0].representative = NodeKey(2);
  next.clusters[0].members[1].strength = 0.52;
  Applied(next);
  EXPECT_EQ(Count("cluster_track_states"), 1);
  next.clusters[0].members.pop_back();
  next.clusters[0].members[1].strength = 0.9;
  next.clusters[0].label = "Around 2";
  Applied(next);
  EXPECT_EQ(Text("SELECT title || ' ' || slug FROM cluster_track_states WHERE to_seq IS NULL"),
            "Around 2 around-1");
}

TEST_F(ClusterApplierTest, GivesEachTrackAnotherSlug) {
  auto snapshot = RunOf({kWest, kEast});
  for (SnapshotCluster& cluster : snapshot.clusters) cluster.label = "SJC";
  Applied(snapshot);
  EXPECT_EQ(Text("SELECT group_concat(slug) FROM (SELECT slug FROM cluster_track_states ORDER BY track_key)"),
            "sjc,sjc-2");
}

TEST_F(ClusterApplierTest, SweepsWhatAnEarlierProcessStaged) {
  store_->database().exec(
      "INSERT INTO cluster_runs(run_id, branch_id, collection, file_id, coverage, match_rule, algorithm, "
      "parameters,"
      " input_digest, content_digest, watermark, computed_at, quality, cluster_count, member_count,"
      " unclustered_count) VALUES (1, 1, 'mesh', 'another', 'full', 'memory', 'a', '{}', zeroblob(32),"
      " zeroblob(32), 0, 0, '{}', 0, 0, 0);"
      "INSERT INTO cluster_members VALUES (1, 1, 0, 0)");
  Applied(RunOf({kWest}));
  EXPECT_EQ(Text("SELECT file_id='another' FROM cluster_runs"), "0");
  EXPECT_EQ(Count("cluster_members"), 6);
}

TEST_F(ClusterApplierTest, KeepsAppliedRunsFrozen) {
  Applied(RunOf({kWest}));
  for (const char* change :
       {"UPDATE cluster_members SET ordinal=NULL", "DELETE FROM cluster_members",
        "DELETE FROM cluster_snapshots", "INSERT INTO cluster_members VALUES (1, 99, 0, 0)",
        "UPDATE cluster_runs SET algorithm='b'", "UPDATE cluster_runs SET pruned_at=1",
        "DELETE FROM cluster_runs", "DELETE FROM cluster_merge_decisions",
        "UPDATE cluster_track_states SET title='b'"})
    EXPECT_THROW(store_->database().exec(change), SQLite::Exception) << change;
}

TEST_F(ClusterApplierTest, EndsTheJobWithItsRun) {
  ClusterJob job;
  job.id = Ulid::Generate(kNoon);
  job.state = ClusterJobState::kRunning;
  job.requested_by = "somebody";
  job.requested_at = job.started_at.emplace(kNoon);
  EXPECT_EQ(Applied(job), "done");
  auto snapshot = RunOf({kWest});
  snapshot.job = job.id;
  Applied(snapshot);
  EXPECT_EQ(Text("SELECT state || run_id || json_extract(statistics, '$.new') FROM cluster_jobs"),
            "succeeded11");
  job.state = ClusterJobState::kFailed;
  job.finished_at = kNoon;
  job.error = "too late";
  EXPECT_EQ(Applied(job), "noop");
  EXPECT_EQ(Count("change_log WHERE kind='cluster_job_finished'"), 1);
}

TEST_F(ClusterApplierTest, KeepsABranchApartFromMain) {
  Applied(RunOf({kWest, kEast}));
  const std::string west = TrackOf(1);
  store_->database().exec(
      "INSERT INTO branch(branch_id, name, base_seq, head_seq, actor, created_at) VALUES (2, 'what-if', 2, "
      "2, 'a', 1)");
  const auto id = Publish(RunOf({{1, 2, 3, 4, 5, 6, 7}}), 2);
  Apply();
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(Text("SELECT group_concat(branch_id || ':' || active_run) FROM cluster_state"), "1:1,2:2");
  // The branch goes on with main's track, and main does not notice.
  EXPECT_EQ(
      Text("SELECT track_id FROM cluster_snapshots JOIN cluster_tracks USING(track_key) WHERE run_id=2"),
      west);
  EXPECT_EQ(Count("cluster_track_states WHERE branch_id=1"), 2);
  EXPECT_EQ(Text("SELECT status FROM cluster_track_states WHERE branch_id=2"), "dormant");
}

TEST_F(ClusterApplierTest, ManyClustersOfOneLabelHaveSlugsOfTheirOwn) {
  ClusterSnapshot run = RunOf(
      {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}, {13, 14}, {15, 16}, {17, 18}, {19, 20}, {21, 22}});
  for (SnapshotCluster& cluster : run.clusters) cluster.label = "CPH";
  ASSERT_EQ(Applied(run), "applied");
  EXPECT_EQ(Count("(SELECT DISTINCT slug FROM cluster_track_states)"), 11);
  EXPECT_EQ(Text("SELECT slug FROM cluster_track_states WHERE track_key=9"), "cph-9");
  EXPECT_EQ(Text("SELECT slug FROM cluster_track_states WHERE track_key=11"), "cph-11");
}

}  // namespace
}  // namespace heliograph::ingestor
