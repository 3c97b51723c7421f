#include "server/state/follower.h"

#include <gtest/gtest.h>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{30'000};

Follower::Settings Quick() {
  Follower::Settings settings;
  settings.poll = milliseconds(5);
  settings.view_interval = milliseconds(1);
  settings.gate_period = milliseconds(5);
  return settings;
}

class FollowerOnDatabase : public ::testing::Test {
 protected:
  std::shared_ptr<const MeshView> WaitFor(const std::function<bool(const MeshView&)>& accepts) {
    return follower_.WaitFor(accepts, {}, kPatience);
  }
  static bool Complete(const MeshView& view) { return view.progress == AnalyticsProgress::kComplete; }

  Observatory observatory_;
  ReadinessGate gate_{observatory_.file()};
  ReaderPool readers_{observatory_.file()};
  Follower follower_{observatory_.file(), gate_, readers_, Quick()};
};

TEST_F(FollowerOnDatabase, ShowsWhatIsThereAndThenWhatComes) {
  observatory_.AddNode(KeyOf({1}));
  follower_.Start();
  ASSERT_TRUE(WaitFor(Complete));
  EXPECT_EQ(follower_.Current()->nodes.size(), 1U);
  observatory_.AddNode(KeyOf({2}));
  EXPECT_TRUE(WaitFor([](const MeshView& view) { return view.nodes.size() == 2; }));
}

TEST_F(FollowerOnDatabase, HasNoAssessmentBeforeAllIsRead) {
  EXPECT_FALSE(follower_.Current());
  EXPECT_FALSE(follower_.Assess());
  follower_.Start();
  ASSERT_TRUE(WaitFor(Complete));
  EXPECT_TRUE(follower_.Assess());
}

TEST_F(FollowerOnDatabase, BeginsAnewWhenTheEpochChanges) {
  observatory_.AddNode(KeyOf({1}));
  follower_.Start();
  const auto before = WaitFor(Complete);
  ASSERT_TRUE(before);
  observatory_.Run(
      "BEGIN; DELETE FROM nodes; UPDATE meta SET value = 'restored' WHERE key = 'epoch'; COMMIT");
  const auto after = WaitFor([](const MeshView& view) { return view.epoch == "restored" && Complete(view); });
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->nodes.empty());
  EXPECT_GT(after->generation, before->generation);
  EXPECT_EQ(follower_.statistics().rebuilds, 2U);
}

TEST_F(FollowerOnDatabase, FindsAFileThatWasReplaced) {
  follower_.Start();
  const auto before = WaitFor(Complete);
  ASSERT_TRUE(before);
  observatory_.Replace();
  observatory_.AddNode(KeyOf({2}));
  const auto after =
      WaitFor([&](const MeshView& view) { return view.epoch != before->epoch && view.nodes.size() == 1; });
  EXPECT_TRUE(after);
}

TEST_F(FollowerOnDatabase, CompletesInShortStepsWhenNoneMayTakeLong) {
  const auto observer = observatory_.AddObserver(KeyOf({1}));
  const auto transmission = observatory_.AddTransmission(kTextType);
  observatory_.Run("BEGIN");
  for (int i = 0; i < 2000; ++i) observatory_.AddObservation(transmission, observer, kFlood, 1, "");
  observatory_.Run("COMMIT");
  Follower::Settings settings = Quick();
  settings.step_limit = milliseconds(0);
  Follower hurried(observatory_.file(), gate_, readers_, settings);
  hurried.Start();
  const auto view = hurried.WaitFor(Complete, {}, kPatience);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->totals.observations, 2000);
  EXPECT_EQ(hurried.statistics().rebuilds, 1U);
}

TEST_F(FollowerOnDatabase, HoldsNoTransactionWhileItWaits) {
  follower_.Start();
  ASSERT_TRUE(WaitFor(Complete));
  observatory_.AddNode(KeyOf({2}));
  ASSERT_TRUE(WaitFor([](const MeshView& view) { return view.nodes.size() == 1; }));
  observatory_.Run("PRAGMA busy_timeout = 20000");
  SQLite::Statement checkpoint(observatory_.database(), "PRAGMA wal_checkpoint(TRUNCATE)");
  ASSERT_TRUE(checkpoint.executeStep());
  EXPECT_EQ(checkpoint.getColumn(0).getInt(), 0);
}

TEST_F(FollowerOnDatabase, EndsWhenTheDatabaseIsRefused) {
  observatory_.Run("PRAGMA user_version = 9999");
  follower_.Start();
  EXPECT_FALSE(WaitFor(Complete));
  EXPECT_TRUE(follower_.ended());
  EXPECT_EQ(gate_.Latest().state, GateState::kRefused);
}

TEST_F(FollowerOnDatabase, EndsWhenTheDatabaseBecomesNewerUnderIt) {
  follower_.Start();
  ASSERT_TRUE(WaitFor(Complete));
  observatory_.Run("PRAGMA user_version = 9999");
  EXPECT_FALSE(WaitFor([](const MeshView& view) { return view.generation == 0; }));
  EXPECT_TRUE(follower_.ended());
}

TEST_F(FollowerOnDatabase, GoesOnAfterAMigrationThatAddsATable) {
  follower_.Start();
  ASSERT_TRUE(WaitFor(Complete));
  observatory_.Run("CREATE TABLE later(a INTEGER) STRICT");
  observatory_.AddNode(KeyOf({1}));
  EXPECT_TRUE(WaitFor([](const MeshView& view) { return view.nodes.size() == 1; }));
}

TEST_F(FollowerOnDatabase, StopsAtOnceWhileItWaitsForADatabase) {
  observatory_.Run("DROP TABLE change_log");
  follower_.Start();
  follower_.Stop();
  EXPECT_FALSE(follower_.Current());
}

}  // namespace
}  // namespace heliograph::server
