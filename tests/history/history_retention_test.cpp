#include <gmock/gmock.h>

#include "ingestor/maintenance/history_retention.h"
#include "server/history/as_of.h"
#include "server/http/problem.h"
#include "server/routes/capability_history.h"
#include "tests/history/applied_history.h"

namespace heliograph::testing {
namespace {

using ingestor::PruneHistory;
using ingestor::StepOutcome;
using std::chrono::hours;
using ::testing::IsEmpty;

class HistoryRetentionTest : public ::testing::Test {
 protected:
  HistoryRetentionTest() {
    rules_.history_days = 1;
    rules_.history_commits = 10;
  }
  void TearDown() override { EXPECT_THAT(history_.BrokenRules(), IsEmpty()); }

  /// Commits that each change the node.
  void Change(int times) {
    for (int i = 0; i < times; ++i, strong_ = !strong_)
      history_.Snapshot(
          {Said(1, CapabilityStatus::kConfirmed, CapabilityEvidence::kAdvert, strong_ ? 1.0 : 0.5)});
  }
  std::int64_t Prune() {
    while (PruneHistory(history_.store(), rules_, history_.now()) == StepOutcome::kMore) {
    }
    return history_.Ask("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'history_floor'");
  }
  std::int64_t Intervals() { return history_.Ask("SELECT count(*) FROM node_capability"); }

  AppliedHistory history_{2};
  ingestor::RetentionRules rules_;
  bool strong_ = true;
};

TEST_F(HistoryRetentionTest, KeepsWhatIsYoungOrAmongTheNewestOfItsStream) {
  Change(30);  // commits 2 to 31
  EXPECT_EQ(Prune(), 1) << "all are young";
  history_.Wait(hours(48));
  EXPECT_EQ(Prune(), 22) << "the newest ten are kept, however old";
  EXPECT_EQ(Intervals(), 10);
}

TEST_F(HistoryRetentionTest, AStreamOfFewCommitsHoldsNothing) {
  history_.Clusters(Grouped({{1, 2}}, 2));
  Change(30);  // commits 3 to 32
  history_.Wait(hours(48));
  EXPECT_EQ(Prune(), 23);
}

TEST_F(HistoryRetentionTest, AStateThatIsKeptReadsAsBefore) {
  Change(30);
  const auto read = [&](std::int64_t seq) {
    return history_.Read([&](server::ReaderConnection& reader) {
      return server::CapabilitiesAt(reader, server::BranchNamed(reader, "main"), seq).at(0).capability;
    });
  };
  std::vector<server::NodeCapability> before;
  for (std::int64_t seq = 22; seq <= 31; ++seq) before.push_back(read(seq));
  history_.Wait(hours(48));
  ASSERT_EQ(Prune(), 22);
  for (std::int64_t seq = 22; seq <= 31; ++seq)
    EXPECT_EQ(read(seq), before[static_cast<std::size_t>(seq - 22)]) << seq;
  EXPECT_THROW(
      history_.Read([](server::ReaderConnection& reader) { return server::ResolveAsOf(reader, "seq:21"); }),
      server::ProblemError);
}

TEST_F(HistoryRetentionTest, PinsAndTheBasesOfBranchesKeepWhatTheyNeed) {
  Change(30);
  history_.Pin(R"({"action":"set","name":"p","commit":"seq:5","expires_at":"2026-06-10T00:00:00Z"})");
  history_.Branch(R"({"action":"create","name":"b","from":"seq:12"})");
  history_.Wait(hours(48));
  EXPECT_EQ(Prune(), 5);
  history_.Wait(hours(24 * 30));
  EXPECT_EQ(Prune(), 12) << "the pin has expired";
  EXPECT_EQ(history_.Ask("SELECT count(*) FROM pin"), 0);
  history_.Branch(R"({"action":"delete","name":"b"})");
  EXPECT_EQ(Prune(), 22);
}

TEST_F(HistoryRetentionTest, WhatADeletedBranchWroteGoes) {
  Change(2);
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(2, CapabilityStatus::kSuspected, CapabilityEvidence::kPath)}, 2);
  Prune();
  EXPECT_EQ(Intervals(), 3);
  history_.Branch(R"({"action":"delete","name":"b"})");
  Prune();
  EXPECT_EQ(Intervals(), 2);
}

TEST_F(HistoryRetentionTest, DeletesInBatchesAndTheFloorNeverGoesBack) {
  rules_.history_days.reset();
  Change(30);
  EXPECT_EQ(Prune(), 1) << "without a limit of age everything is kept";
  rules_.history_days = 1;
  history_.Wait(hours(48));
  EXPECT_EQ(PruneHistory(history_.store(), rules_, history_.now()), StepOutcome::kMore);
  EXPECT_EQ(PruneHistory(history_.store(), rules_, history_.now()), StepOutcome::kDone);
  rules_.history_commits = 1000;
  EXPECT_EQ(Prune(), 22);
}

TEST_F(HistoryRetentionTest, WhatCanBeAskedForCannotBeDeleted) {
  Change(3);
  EXPECT_THROW(history_.Run("DELETE FROM node_capability"), SQLite::Exception);
}

TEST_F(HistoryRetentionTest, FreePagesAreReturnedUntilNoneAreLeft) {
  history_.Run("CREATE TEMP TABLE t AS SELECT 1");
  history_.Run(
      "INSERT INTO dropped_packets(dropped_at, reason, raw) SELECT 1, 'x', randomblob(4000) FROM"
      " (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i FROM n)");
  history_.Run("DELETE FROM dropped_packets");
  ASSERT_GT(history_.Ask("PRAGMA freelist_count"), 100);
  EXPECT_TRUE(history_.store().ReturnFreePages(50));
  while (history_.store().ReturnFreePages(50)) {
  }
  EXPECT_EQ(history_.Ask("PRAGMA freelist_count"), 0);
}

}  // namespace
}  // namespace heliograph::testing
