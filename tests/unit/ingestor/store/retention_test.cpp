#include "ingestor/maintenance/retention.h"

#include "dbschema/database.h"
#include "ingestor/maintenance/ticker.h"
#include "ingestor/store/capability_store.h"
#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class RetentionTest : public StoreTest {
 protected:
  /// Ends the task's round.
  template <class Step>
  static void Finish(Step step) {
    while (step() == StepOutcome::kMore) {
    }
  }

  void LogChanges(int count, UtcMillis at) {
    for (int i = 0; i < count; ++i)
      store_->database().exec(
          "INSERT INTO change_log(branch_id,kind,entity_kind,entity_id,payload,logged_at) VALUES "
          "(1,'x','x','x','{}'," +
          std::to_string(at.time_since_epoch().count()) + ")");
  }

  RetentionRules rules_;
  std::int64_t cursor_ = 0;
};

TEST_F(RetentionTest, MeasuresNodesInDataTime) {
  Store(HeardAdvert(0xA0, "Old", 100, kNoon), HeardAdvert(0xA1, "New", 100, kNoon + hours(24 * 8)));
  Finish([&] { return RetireNodes(*store_, rules_, kNoon + hours(24 * 900)); });
  EXPECT_EQ(Text("SELECT name FROM inactive_nodes"), "Old");
  EXPECT_EQ(Text("SELECT name FROM nodes"), "New");
}

TEST_F(RetentionTest, KeepsEverythingWhenTheRuleIsOff) {
  Store(HeardAdvert(0xA0, "Old", 100, kNoon), HeardAdvert(0xA1, "New", 100, kNoon + hours(24 * 800)));
  rules_.node_days.reset();
  rules_.packet_days.reset();
  Finish([&] { return RetireNodes(*store_, rules_, kNoon + hours(24 * 900)); });
  Finish([&] { return PrunePackets(*store_, rules_, kNoon + hours(24 * 9000), cursor_); });
  EXPECT_EQ(Count("nodes"), 2);
  EXPECT_EQ(Count("transmissions"), 2);
}

TEST_F(RetentionTest, RetiresNothingBecauseAClockWasAheadOnce) {
  Store(HeardAdvert(0xA0, "Hill", 100, kNoon), HeardAdvert(0xA1, "Ahead", 100, kNoon + hours(24 * 3650)));
  const UtcMillis set_right = kNoon + hours(1);
  Finish([&] { return RetireNodes(*store_, rules_, set_right); });
  Finish([&] { return RetireObservers(*store_, rules_, set_right); });
  EXPECT_EQ(Count("inactive_nodes"), 0);
  EXPECT_EQ(Count("observers WHERE inactive=1"), 0);
  Finish([&] { return RetireNodes(*store_, rules_, kNoon + hours(24 * 8)); });
  EXPECT_EQ(Text("SELECT name FROM inactive_nodes"), "Hill");
}

TEST_F(RetentionTest, DeletesOldPacketsAndNeverGivesTheirIdsAgain) {
  Store(HeardPacket(1, 0x01, 0), HeardPacket(1, 0x02, 0), HeardPacket(2, 0x01, 0));
  rules_.packet_days = 1;
  Finish([&] { return PrunePackets(*store_, rules_, kNoon + hours(48), cursor_); });
  EXPECT_EQ(Count("observations"), 0);
  EXPECT_EQ(Count("transmissions"), 0);
  Store(HeardPacket(3, 0x01, 0));
  EXPECT_EQ(Text("SELECT id || '/' || transmission_id FROM observations"), "4/3");
}

TEST_F(RetentionTest, GivesNoDeletedIdAgainAfterARestart) {
  Store(HeardPacket(1, 0x01, 0));
  rules_.packet_days = 1;
  Finish([&] { return PrunePackets(*store_, rules_, kNoon + hours(48), cursor_); });
  store_.reset();
  store_ = std::make_unique<MeshStore>(dbschema::OpenForWriting(folder_ / "h.db"), MeshStore::Options{});
  Store(HeardPacket(2, 0x01, 0));
  EXPECT_EQ(Text("SELECT id || '/' || transmission_id FROM observations"), "2/2");
}

TEST_F(RetentionTest, KeepsYoungChangesBelowOneWhoseTimeIsWrong) {
  LogChanges(2, kNoon + hours(24 * 7));
  LogChanges(1, kNoon - hours(24 * 700));
  LogChanges(1, kNoon + hours(24 * 7));
  Finish([&] { return PruneFeed(*store_, rules_, kNoon + hours(24 * 7 + 2)); });
  EXPECT_EQ(Count("change_log"), 4);
}

TEST_F(RetentionTest, KeepsATransmissionThatIsStillHeard) {
  Store(HeardPacket(1, 0x01, 0, kNoon), HeardPacket(1, 0x02, 0, kNoon + hours(47)));
  rules_.packet_days = 1;
  Finish([&] { return PrunePackets(*store_, rules_, kNoon + hours(48), cursor_); });
  EXPECT_EQ(Count("observations"), 2);
}

TEST_F(RetentionTest, RaisesTheFloorOfTheFeedToWhatIsDeleted) {
  LogChanges(1500, kNoon);
  LogChanges(3, kNoon + hours(24 * 7));
  Finish([&] { return PruneFeed(*store_, rules_, kNoon + hours(24 * 7 + 2)); });
  EXPECT_EQ(Count("change_log"), 3);
  EXPECT_EQ(Text("SELECT value FROM meta WHERE key='feed_floor'"), "1500");
}

TEST_F(RetentionTest, BoundsTheRowsOfTheFeedButKeepsTheLastHour) {
  rules_.feed_rows = 10;
  LogChanges(30, kNoon);
  LogChanges(20, kNoon + hours(3));
  Finish([&] { return PruneFeed(*store_, rules_, kNoon + hours(3)); });
  EXPECT_EQ(Count("change_log"), 20);
}

TEST_F(RetentionTest, AgesAStatusOutByACommitThatSaysSo) {
  Store(HeardAdvert(0xA0, "Hill", 100), HeardPacket(9, 0x01, 0, kNoon + hours(24 * 30)));
  const IdentityKey hill = *store_->identities().Find(KeyOf(0xA0));
  CapabilityStore capabilities(store_->database());
  {
    StoreTransaction transaction(*store_);
    CommitFacts facts;
    facts.kind = "snapshot";
    facts.actor = "test";
    const CommitSeq commit = store_->commits().Begin(facts, kNoon);
    CapabilityState state;
    state.status = CapabilityStatus::kConfirmed;
    state.evidence = CapabilityEvidence::kAdvert;
    capabilities.Change(kMainBranch, hill, state, commit);
    CapabilityEntry entry;
    entry.last_proof_at = kNoon;
    capabilities.SetCounters(hill, entry, 1);
    store_->commits().MoveHead(kMainBranch, commit);
    transaction.Commit();
  }
  const UtcMillis later = kNoon + hours(24 * 31);
  AgeOutCapability(*store_, rules_, later);
  EXPECT_EQ(capabilities.Now(kMainBranch, hill)->status, CapabilityStatus::kConfirmed);
  rules_.capability_age_out_days = 10;
  // The packet of the thirtieth day was stored while the clock was ahead.
  AgeOutCapability(*store_, rules_, kNoon + hours(1));
  EXPECT_EQ(capabilities.Now(kMainBranch, hill)->status, CapabilityStatus::kConfirmed);
  AgeOutCapability(*store_, rules_, later);
  EXPECT_EQ(capabilities.Now(kMainBranch, hill)->status, CapabilityStatus::kUnknown);
  EXPECT_EQ(Text("SELECT kind || actor FROM commit_log ORDER BY commit_seq DESC"),
            "maintenanceingestor:age-out");
}

TEST_F(RetentionTest, CapsTheRefusedPackets) {
  DroppedStore few(store_->database(), 3);
  PreparedDrop drop;
  drop.reason = DropReason::kInvalidFrame;
  for (int i = 0; i < 10; ++i) few.Add(drop, "test");
  few.Flush();
  EXPECT_EQ(Count("dropped_packets"), 3);
}

TEST_F(RetentionTest, RunsATaskWhenItIsDueAndGoesOnWithOneThatHasMore) {
  const auto start = MaintenanceTicker::Clock::now();
  int steps = 0;
  MaintenanceTicker ticker(*store_,
                           {{"count", seconds(60), seconds(5),
                             [&] { return ++steps % 3 == 0 ? StepOutcome::kDone : StepOutcome::kMore; }}},
                           start);
  EXPECT_FALSE(ticker.RunStep(start + seconds(4)));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ticker.RunStep(start + seconds(5)));
  EXPECT_FALSE(ticker.RunStep(start + seconds(6)));
  EXPECT_TRUE(ticker.RunStep(start + seconds(65)));
  EXPECT_EQ(Text("SELECT runs || last_outcome FROM maintenance_task"), "1done");
}

TEST_F(RetentionTest, RecordsATaskThatFailsAndLetsTheOthersRun) {
  const auto start = MaintenanceTicker::Clock::now();
  MaintenanceTicker ticker(
      *store_,
      {{"broken", seconds(60), seconds(0), []() -> StepOutcome { throw std::runtime_error("no luck"); }},
       {"fine", seconds(60), seconds(1), [] { return StepOutcome::kDone; }}},
      start);
  EXPECT_TRUE(ticker.RunStep(start + seconds(1)));
  EXPECT_TRUE(ticker.RunStep(start + seconds(1)));
  EXPECT_EQ(Text("SELECT last_error FROM maintenance_task WHERE name='broken'"), "no luck");
  EXPECT_EQ(Text("SELECT last_outcome FROM maintenance_task WHERE name='fine'"), "done");
}

}  // namespace
}  // namespace heliograph::ingestor
