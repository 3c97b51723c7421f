#include "ingestor/maintenance/cluster_retention.h"

#include <gtest/gtest.h>

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
  void Prune(UtcMillis now) {
    while (PruneClusterRuns(*store_, now) == StepOutcome::kMore) {
    }
  }
};

TEST_F(ClusterRetentionTest, KeepsWhatTheNextMatchLooksAt) {
  Run(12);
  Prune(WallClockNow() + std::chrono::hours(24 * 365));
  EXPECT_EQ(Count("cluster_runs WHERE pruned_at IS NULL"), 8);
  EXPECT_EQ(Text("SELECT min(run_id) FROM cluster_members"), "5");
  EXPECT_EQ(Text("SELECT min(run_id) FROM cluster_snapshots"), "5");
}

TEST_F(ClusterRetentionTest, KeepsTheNewestOfEachHourForADay) {
  Run(12);
  Prune(WallClockNow());
  // All are of one hour, or of two when it has just begun; what is not needed goes.
  EXPECT_LE(Count("cluster_runs WHERE pruned_at IS NULL"), 9);
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

}  // namespace
}  // namespace heliograph::ingestor
