#include "ingestor/maintenance/cluster_retention.h"

#include <gtest/gtest.h>

#include "ingestor/maintenance/history_retention.h"
#include "tests/unit/ingestor/store/cluster_volume.h"

namespace heliograph::ingestor {
namespace {

class ClusterRetentionTest : public ClusterVolumeTest {
 protected:
  /// `count` runs after each other, all of the same hour, each with one more node than the one before.
  void Run(int count) {
    std::vector<int> nodes{1, 2, 3};
    for (int i = 0; i < count; ++i) {
      nodes.push_back(4 + i);
      ASSERT_EQ(Applied(RunOf({nodes})), "applied");
    }
  }
  void RunOn(std::int64_t branch, int count) {
    std::vector<int> nodes{1, 2, 3};
    for (int i = 0; i < count; ++i) {
      nodes.push_back(4 + i);
      ASSERT_EQ(AppliedOn(branch, RunOf({nodes})), "applied");
    }
  }
  void Prune(UtcMillis now) {
    while (PruneClusterRuns(*store_, now) == StepOutcome::kMore) {
    }
  }
  void PruneAllInAYear() {
    const UtcMillis later = WallClockNow() + std::chrono::hours(24 * 365);
    Prune(later);
    while (PruneHistory(*store_, {}, later) == StepOutcome::kMore) {
    }
    Prune(later);
  }
};

TEST_F(ClusterRetentionTest, KeepsWhatTheNextMatchLooksAt) {
  Run(12);
  Prune(WallClockNow() + std::chrono::hours(24 * 365));
  EXPECT_EQ(Count("cluster_runs WHERE pruned_at IS NULL"), 8);
  EXPECT_EQ(Text("SELECT min(run_id) FROM cluster_members"), "5");
  EXPECT_EQ(Text("SELECT min(run_id) FROM cluster_snapshots"), "5");
}

TEST_F(ClusterRetentionTest, KeepsTheNewestOfEachHourForADayAndOfEachDayForAMonth) {
  Run(20);  // the match of the next run looks at 13 to 20
  const UtcMillis noon(std::chrono::hours(24 * 20'000 + 12));
  store_->database().exec("DROP TRIGGER cluster_runs_are_frozen");
  const auto date = [&](int run, std::chrono::minutes ago) {
    store_->database().exec(
        "UPDATE cluster_runs SET computed_at=" + std::to_string((noon - ago).time_since_epoch().count()) +
        " WHERE run_id=" + std::to_string(run));
  };
  using std::chrono::hours;
  using std::chrono::minutes;
  for (int run = 1; run <= 20; ++run) date(run, minutes(20));
  date(1, hours(24 * 41));
  date(2, hours(24 * 40));
  date(3, hours(24 * 10 + 1));
  date(4, hours(24 * 10));
  date(5, hours(24 * 9));
  date(6, minutes(170));
  date(7, minutes(160));
  date(8, minutes(100));
  Prune(noon);
  EXPECT_EQ(Text("SELECT group_concat(run_id) FROM (SELECT run_id FROM cluster_runs WHERE pruned_at IS NULL"
                 " AND run_id<13 ORDER BY run_id)"),
            "4,5,7,8");
  EXPECT_EQ(Count("cluster_runs WHERE pruned_at IS NULL AND run_id>=13"), 8);
}

TEST_F(ClusterRetentionTest, TouchesNeitherTracksNorDecisionsNorCorrections) {
  Run(12);
  ClusterOverride rename;
  rename.action = OverrideAction::kRename;
  rename.cluster = TrackOf(1);
  rename.title = "The Bay";
  Applied(rename);
  const auto before = Count("cluster_merge_decisions");
  Prune(WallClockNow() + std::chrono::hours(24 * 365));
  EXPECT_EQ(Count("cluster_merge_decisions"), before);
  EXPECT_EQ(Count("cluster_tracks"), 1);
  EXPECT_EQ(Count("cluster_overrides"), 1);
  EXPECT_EQ(Count("cluster_aliases"), 1);
  EXPECT_EQ(Count("cluster_runs"), 12);
}

TEST_F(ClusterRetentionTest, ChangesNoIdentity) {
  Run(12);
  const std::string track = TrackOf(1);
  Prune(WallClockNow() + std::chrono::hours(24 * 365));
  Restart();
  Run(1);
  EXPECT_EQ(TrackOf(1), track);
}

TEST_F(ClusterRetentionTest, LetsNobodyPruneTheActiveOrThePreviousRun) {
  Run(3);
  EXPECT_THROW(store_->database().exec("UPDATE cluster_runs SET pruned_at=1 WHERE run_id=3"),
               SQLite::Exception);
  EXPECT_THROW(store_->database().exec("UPDATE cluster_runs SET pruned_at=1 WHERE run_id=2"),
               SQLite::Exception);
  EXPECT_NO_THROW(store_->database().exec("UPDATE cluster_runs SET pruned_at=1 WHERE run_id=1"));
}

TEST_F(ClusterRetentionTest, RunsOfABranchTakeNothingFromMainsMemory) {
  Run(8);
  RunOn(CreateBranch("b"), 12);
  PruneAllInAYear();
  EXPECT_EQ(Count("cluster_runs WHERE branch_id=1 AND pruned_at IS NULL"), 8);
  EXPECT_EQ(Count("cluster_runs WHERE branch_id=2 AND pruned_at IS NULL"), 8);
}

TEST_F(ClusterRetentionTest, KeepsWhatTheNextMatchOfABranchLooksAt) {
  Run(3);
  CreateBranch("b");
  std::vector<int> nodes{1, 2, 3, 30};
  for (int node = 11; node < 23; ++node) {
    nodes.push_back(node);
    ASSERT_EQ(Applied(RunOf({nodes})), "applied");
  }
  PruneAllInAYear();
  EXPECT_EQ(Count("cluster_runs WHERE pruned_at IS NULL AND run_id<=3"), 3);
  EXPECT_EQ(Count("cluster_runs WHERE pruned_at IS NULL"), 3 + 8);
}

TEST_F(ClusterRetentionTest, KeepsTheRunThatWasActiveAtAPin) {
  Run(12);
  const std::string commit = Text("SELECT commit_seq FROM cluster_runs WHERE run_id=2");
  Requested(queue::Kind::kPin, R"({"action":"set","name":"p","commit":"seq:)" + commit + "\"}");
  PruneAllInAYear();
  EXPECT_EQ(Text("SELECT group_concat(run_id) FROM (SELECT run_id FROM cluster_runs WHERE pruned_at IS NULL"
                 " ORDER BY run_id LIMIT 2)"),
            "2,5");
}

TEST_F(ClusterRetentionTest, ReclaimsADeletedBranch) {
  Run(2);
  const std::string track = TrackOf(1);
  RunOn(CreateBranch("b"), 6);
  AppliedOn(2, RunOf({{1, 2, 3}, {11, 12, 13}}));
  Requested(queue::Kind::kBranchRequest, R"({"action":"merge","name":"b"})");
  const std::int64_t of_main = Count("cluster_track_states WHERE branch_id=1");
  Requested(queue::Kind::kBranchRequest, R"({"action":"delete","name":"b"})");
  PruneAllInAYear();
  for (const char* rows : {"cluster_state", "cluster_track_states", "cluster_decision_states"})
    EXPECT_EQ(Count(std::string(rows) + " WHERE branch_id=2"), 0) << rows;
  for (const char* rows : {"cluster_members", "cluster_snapshots"})
    EXPECT_EQ(Count(std::string(rows) + " JOIN cluster_runs USING(run_id) WHERE branch_id=2"), 0) << rows;
  EXPECT_EQ(Count("cluster_runs WHERE branch_id=2 AND pruned_at IS NULL"), 0);
  EXPECT_EQ(Count("cluster_track_states WHERE branch_id=1"), of_main);
  EXPECT_EQ(TrackOf(1), track);
  EXPECT_NE(TrackOf(11), "") << "what was merged stays";
}

TEST_F(ClusterRetentionTest, LetsNobodyDeleteWhatALiveBranchWrote) {
  Run(1);
  AppliedOn(CreateBranch("b"), RunOf({{1, 2}, {3, 4}}));
  for (const char* table : {"cluster_track_states", "cluster_decision_states"})
    EXPECT_THROW(store_->database().exec(std::string("DELETE FROM ") + table + " WHERE branch_id=2"),
                 SQLite::Exception)
        << table;
}

}  // namespace
}  // namespace heliograph::ingestor
