#include "server/state/mesh_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;

constexpr std::chrono::milliseconds kLimit{10'000};

class MeshStateOnDatabase : public ::testing::Test {
 protected:
  void Load(MeshState::Limits limits = {}) {
    connection_.emplace(observatory_.file());
    state_.emplace(limits, 0);
    const ReadTransaction transaction(*connection_, kLimit);
    state_->LoadWarm(*connection_);
  }
  MeshState::Step Step() {
    const ReadTransaction transaction(*connection_, kLimit);
    return state_->Follow(*connection_);
  }
  std::shared_ptr<const MeshView> FollowAll() {
    while (Step() == MeshState::Step::kMore) {
    }
    return state_->View();
  }
  std::shared_ptr<const MeshView> LoadAll() {
    Load();
    return FollowAll();
  }

  Observatory observatory_;
  std::optional<ReaderConnection> connection_;
  std::optional<MeshState> state_;
  const PublicKey repeater_ = KeyOf({0xAB, 0x12});
  const PublicKey observer_ = KeyOf({0x0B});
};

TEST_F(MeshStateOnDatabase, ServesTheLastKnownCapabilityBeforeAnyPacketIsRead) {
  observatory_.Confirm(observatory_.AddNode(repeater_));
  Load();
  const auto view = state_->View();
  EXPECT_EQ(view->progress, AnalyticsProgress::kWarm);
  ASSERT_TRUE(view->FindNode(repeater_));
  EXPECT_EQ(view->FindNode(repeater_)->capability.status, CapabilityStatus::kConfirmed);
  EXPECT_EQ(view->watermark, 0);
}

TEST_F(MeshStateOnDatabase, ServesTheLastKnownReadinessBeforeAnyPacketIsRead) {
  SwitchReadiness readiness;
  readiness.scopes.resize(1);
  readiness.scopes[0].two_bytes.node_share = ShareEstimate{0.5, 0.25, 0.75};
  observatory_.StoreReadiness(readiness);
  Load();
  ASSERT_TRUE(state_->View()->readiness);
  EXPECT_EQ(*state_->View()->readiness, readiness);
  readiness.scopes[0].two_bytes.node_share->share = 0.625;
  observatory_.StoreReadiness(readiness);
  EXPECT_EQ(*FollowAll()->readiness, readiness);
}

TEST_F(MeshStateOnDatabase, WhatIsStoredOutlivesPacketsThatSayLess) {
  observatory_.Confirm(observatory_.AddNode(repeater_));
  const auto view = LoadAll();
  EXPECT_EQ(view->progress, AnalyticsProgress::kComplete);
  EXPECT_EQ(view->FindNode(repeater_)->capability.evidence, CapabilityEvidence::kAdvert);
  EXPECT_EQ(state_->Assess().changed, 0U);
}

TEST_F(MeshStateOnDatabase, ConfirmsARelayThatNobodyElseCanBe) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  const auto view = LoadAll();
  const NodeCapability& capability = view->FindNode(repeater_)->capability;
  EXPECT_EQ(capability.status, CapabilityStatus::kConfirmed);
  EXPECT_EQ(capability.evidence, CapabilityEvidence::kRelay);
  EXPECT_EQ(capability.relay_proofs, 1U);
  EXPECT_EQ(state_->Assess().changed, 1U);
}

TEST_F(MeshStateOnDatabase, EveryNodeHasAProbabilityAsItWillBeStored) {
  observatory_.AddNode(repeater_);
  const auto view = LoadAll();
  const NodeCapability& capability = view->FindNode(repeater_)->capability;
  EXPECT_EQ(capability.status, CapabilityStatus::kUnknown);
  ASSERT_TRUE(capability.probability);
  EXPECT_EQ(*capability.probability, std::round(*capability.probability * 100) / 100);
  EXPECT_EQ(state_->Assess().changed, 1U);
}

TEST_F(MeshStateOnDatabase, TheFloodsThatWereReadAreInTheModel) {
  const auto node = observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 1, "ab");
  const auto view = LoadAll();
  const PairTally* pair = view->model->relays.Pair(IdentityKey{node}, IdentityKey{observer});
  ASSERT_TRUE(pair);
  EXPECT_GT(pair->reported[0], 0.5F);
  EXPECT_EQ(state_->relays().floods(FloodClass::kOneByte), 1U);
}

TEST_F(MeshStateOnDatabase, TheModelRunsAnewOnlyWhenThereIsSomethingNew) {
  observatory_.AddNode(repeater_);
  const auto model = LoadAll()->model;
  state_->UpdateModel();
  EXPECT_EQ(state_->View()->model, model);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 1, "ab");
  FollowAll();
  state_->UpdateModel();
  EXPECT_NE(state_->View()->model, model);
}

TEST_F(MeshStateOnDatabase, ANodeThatAppearsLaterMakesAHashAmbiguous) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  LoadAll();
  const PublicKey twin = KeyOf({0xAB, 0x12}, 2);
  observatory_.AddNode(twin, "companion", "inactive_nodes");
  const auto view = FollowAll();
  EXPECT_EQ(view->FindNode(twin)->capability.status, CapabilityStatus::kSuspected);
  EXPECT_EQ(view->FindNode(repeater_)->capability.status, CapabilityStatus::kSuspected);
}

TEST_F(MeshStateOnDatabase, ARemovedNodeCanStillBeTheHopAlsoForAServerThatStartsLater) {
  observatory_.AddNode(repeater_);
  const auto twin = observatory_.AddNode(KeyOf({0xAB, 0x12}, 2));
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  LoadAll();
  observatory_.Run("DELETE FROM nodes WHERE node_key = " + std::to_string(twin));
  observatory_.Run("INSERT INTO removed_nodes VALUES (" + std::to_string(twin) + ", 'pruned', 0, NULL, " +
                   std::to_string(observatory_.NextRevision()) + ")");
  EXPECT_EQ(FollowAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kSuspected);
  EXPECT_EQ(LoadAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kSuspected);
}

TEST_F(MeshStateOnDatabase, AnObserverThatNeverAdvertisedCanBeTheHopToo) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(KeyOf({0xAB, 0x12}, 9));
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  EXPECT_EQ(LoadAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kSuspected);
}

TEST_F(MeshStateOnDatabase, CollidingPrefixConfirmsTheAdvertiserAlone) {
  const auto advertiser = observatory_.AddNode(repeater_);
  const PublicKey twin = KeyOf({0xAB, 0x12}, 2);
  observatory_.AddNode(twin);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kAdvertType, advertiser), observer, kFlood, 2,
                              "cd34");
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  const auto view = LoadAll();
  EXPECT_EQ(view->FindNode(repeater_)->capability.status, CapabilityStatus::kConfirmed);
  EXPECT_TRUE(view->FindNode(repeater_)->capability.adopted);
  EXPECT_EQ(view->FindNode(twin)->capability.status, CapabilityStatus::kSuspected);
}

TEST_F(MeshStateOnDatabase, TracesAndDirectPathsProveNothing) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  observatory_.AddObservation(observatory_.AddTransmission(kTraceType), observer, kFlood, 2, "ab12");
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kDirect, 2, "ab12");
  EXPECT_EQ(LoadAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kUnknown);
}

TEST_F(MeshStateOnDatabase, AViewNeverChanges) {
  const auto node = observatory_.AddNode(repeater_);
  const auto before = LoadAll();
  observatory_.Run("UPDATE nodes SET name = 'Hilltop', revision = " +
                   std::to_string(observatory_.NextRevision()) + " WHERE node_key = " + std::to_string(node));
  observatory_.AddNode(KeyOf({1}));
  const auto after = FollowAll();
  EXPECT_EQ(before->nodes.size(), 1U);
  EXPECT_FALSE(before->FindNode(repeater_)->name);
  EXPECT_EQ(after->nodes.size(), 2U);
  EXPECT_EQ(after->FindNode(repeater_)->name, "Hilltop");
  EXPECT_GT(after->nodes_generation, before->nodes_generation);
  EXPECT_EQ(after->observers_generation, before->observers_generation);
}

TEST_F(MeshStateOnDatabase, NothingNewGivesTheSameView) {
  observatory_.AddNode(repeater_);
  const auto before = LoadAll();
  EXPECT_EQ(FollowAll(), before);
}

TEST_F(MeshStateOnDatabase, UnchangedNodesAreSharedBetweenViews) {
  observatory_.AddNode(repeater_);
  const auto before = LoadAll();
  observatory_.AddNode(KeyOf({1}));
  const auto after = FollowAll();
  EXPECT_EQ(after->FindNode(repeater_), before->FindNode(repeater_));
}

TEST_F(MeshStateOnDatabase, FollowsANodeThatMovesAndOneThatIsRemoved) {
  const auto node = observatory_.AddNode(repeater_);
  LoadAll();
  observatory_.Run("DELETE FROM nodes");
  observatory_.AddNode(repeater_, "repeater", "inactive_nodes");
  EXPECT_FALSE(FollowAll()->FindNode(repeater_)->active);
  observatory_.Run("DELETE FROM inactive_nodes");
  observatory_.Run("INSERT INTO removed_nodes VALUES (" + std::to_string(node) + ", 'test', 0, NULL, " +
                   std::to_string(observatory_.NextRevision()) + ")");
  EXPECT_FALSE(FollowAll()->FindNode(repeater_));
}

TEST_F(MeshStateOnDatabase, FollowsIntervalsOfLaterCommits) {
  const auto node = observatory_.AddNode(repeater_);
  const auto before = LoadAll();
  observatory_.Confirm(node, "relay");
  const auto after = FollowAll();
  EXPECT_EQ(before->FindNode(repeater_)->capability.status, CapabilityStatus::kUnknown);
  EXPECT_EQ(after->FindNode(repeater_)->capability.evidence, CapabilityEvidence::kRelay);
  EXPECT_EQ(after->head_seq, before->head_seq + 1);
}

TEST_F(MeshStateOnDatabase, CountsInDataTimeAndByRegion) {
  const auto node = observatory_.AddNode(repeater_);
  const auto near = observatory_.AddObserver(KeyOf({0x0B}), "SFO");
  const auto far = observatory_.AddObserver(KeyOf({0x0C}), "OAK");
  constexpr std::int64_t kMinute = 60'000;
  observatory_.AddObservation(observatory_.AddTransmission(kAdvertType, node, 0), near, kFlood, 1, "");
  observatory_.AddObservation(observatory_.AddTransmission(kAdvertType, node, 120 * kMinute), far, kFlood, 1,
                              "");
  observatory_.AddObservation(observatory_.AddTransmission(kTextType, 0, 130 * kMinute), far, kFlood, 1, "");
  const auto view = LoadAll();
  EXPECT_EQ(view->totals.transmissions, 3);
  EXPECT_EQ(view->totals.transmissions_last_hour, 2);
  EXPECT_EQ(view->totals.transmissions_last_24h, 3);
  EXPECT_EQ(view->data_time, At(130 * kMinute));
  EXPECT_EQ(view->FindObserver(KeyOf({0x0B}).ToObserverId())->packets_last_hour, 0);
  EXPECT_EQ(view->FindObserver(KeyOf({0x0C}).ToObserverId())->packets_last_hour, 2);
  EXPECT_THAT(view->FindNode(repeater_)->regions, ElementsAre("OAK", "SFO"));
  EXPECT_EQ(view->watermark, 3);
}

TEST_F(MeshStateOnDatabase, ReadsInPagesAndMissesNothing) {
  const auto observer = observatory_.AddObserver(observer_);
  const auto transmission = observatory_.AddTransmission(kTextType);
  for (int i = 0; i < 7; ++i)
    observatory_.AddObservation(transmission, observer, kFlood, 1, "0" + std::to_string(i));
  Load({.page_rows = 3});
  EXPECT_EQ(Step(), MeshState::Step::kMore);
  EXPECT_EQ(state_->View()->progress, AnalyticsProgress::kWarm);
  const auto view = FollowAll();
  EXPECT_EQ(view->totals.observations, 7);
  EXPECT_EQ(view->watermark, 7);
}

TEST_F(MeshStateOnDatabase, CountsAgainWhenRetentionDeleted) {
  const auto observer = observatory_.AddObserver(observer_);
  for (int i = 0; i < 3; ++i)
    observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 1, "");
  LoadAll();
  observatory_.Run("DELETE FROM observations WHERE id = 1; DELETE FROM transmissions WHERE id = 1");
  Step();
  ASSERT_TRUE(state_->NeedsRecount());
  {
    const ReadTransaction transaction(*connection_, kLimit);
    state_->Recount(*connection_);
  }
  EXPECT_EQ(state_->View()->totals.observations, 2);
  EXPECT_FALSE(state_->NeedsRecount());
}

TEST_F(MeshStateOnDatabase, CountsAgainWhenRetentionDeletedAnywhere) {
  const auto observer = observatory_.AddObserver(observer_);
  for (int i = 0; i < 3; ++i)
    observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 1, "");
  LoadAll();
  observatory_.Run(
      "DELETE FROM observations WHERE id = 2; DELETE FROM transmissions WHERE id = 2; "
      "INSERT INTO maintenance_task(name, period_s, runs, last_end) VALUES ('packets', 60, 1, 5)");
  Step();
  ASSERT_TRUE(state_->NeedsRecount());
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 1, "");
  {
    const ReadTransaction transaction(*connection_, kLimit);
    state_->Recount(*connection_);  // sees a row that has not been read yet
  }
  EXPECT_EQ(state_->View()->totals.observations, 2);
  EXPECT_EQ(FollowAll()->totals.observations, 3);
}

TEST_F(MeshStateOnDatabase, AStepThatRanOutOfTimeGoesOnWhereItStood) {
  const auto observer = observatory_.AddObserver(observer_);
  const auto transmission = observatory_.AddTransmission(kTextType);
  observatory_.Run("BEGIN");
  for (int i = 0; i < 3000; ++i) observatory_.AddObservation(transmission, observer, kFlood, 1, "");
  observatory_.Run("COMMIT");
  Load();
  const auto hurried = [&] {
    const ReadTransaction transaction(*connection_, std::chrono::milliseconds(0));
    state_->Follow(*connection_);
  };
  EXPECT_THROW(hurried(), SQLite::Exception);
  state_->HalvePage();
  const auto view = FollowAll();
  EXPECT_EQ(view->totals.observations, 3000);
  EXPECT_EQ(view->watermark, 3000);
}

TEST_F(MeshStateOnDatabase, FindsWhatACommitTouchedByIndexes) {
  SQLite::Statement plan(observatory_.database(),
                         std::string("EXPLAIN QUERY PLAN ") + kCapabilityTouchedSince);
  std::string text;
  while (plan.executeStep()) text += plan.getColumn(3).getString() + '\n';
  EXPECT_THAT(text, ::testing::HasSubstr("node_capability_from"));
  EXPECT_THAT(text, ::testing::HasSubstr("node_capability_closed"));
}

TEST_F(MeshStateOnDatabase, AnotherEpochIsAnotherDatabase) {
  LoadAll();
  observatory_.Run("UPDATE meta SET value = 'restored' WHERE key = 'epoch'");
  EXPECT_EQ(Step(), MeshState::Step::kReplaced);
}

TEST_F(MeshStateOnDatabase, ProofsAgeOutInDataTimeWhenTheRuleSaysSo) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  constexpr std::int64_t kDay = 86'400'000;
  observatory_.AddObservation(observatory_.AddTransmission(kTextType), observer, kFlood, 2, "ab12");
  observatory_.AddObservation(observatory_.AddTransmission(kTextType, 0, 8 * kDay), observer, kFlood, 1, "");
  Load({.capability_age_out_days = 7});
  EXPECT_EQ(FollowAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kUnknown);
  Load({.capability_age_out_days = 9});
  EXPECT_EQ(FollowAll()->FindNode(repeater_)->capability.status, CapabilityStatus::kConfirmed);
}

TEST_F(MeshStateOnDatabase, APacketOfAClockThatWasAheadAgesNothing) {
  observatory_.AddNode(repeater_);
  const auto observer = observatory_.AddObserver(observer_);
  constexpr std::int64_t kCentury = 100LL * 365 * 86'400'000;
  const std::int64_t now = WallClockNow().time_since_epoch().count() - kStartOfData;
  observatory_.AddObservation(observatory_.AddTransmission(kTextType, 0, now), observer, kFlood, 2, "ab12");
  observatory_.AddObservation(observatory_.AddTransmission(kTextType, 0, kCentury), observer, kFlood, 1, "");
  Load({.capability_age_out_days = 7});
  const auto view = FollowAll();
  EXPECT_EQ(view->FindNode(repeater_)->capability.status, CapabilityStatus::kConfirmed);
  EXPECT_LE(view->data_time, WallClockNow());
}

TEST_F(MeshStateOnDatabase, CountersOfAnAppliedSnapshotArrive) {
  const auto node = observatory_.AddNode(repeater_);
  LoadAll();
  observatory_.Run("INSERT INTO capability_counters VALUES (" + std::to_string(node) + ", 0, 44, 0, 1, 0)");
  observatory_.Run("INSERT INTO ledger(id, applied_at, boot_id, outcome) VALUES ('one', 5, 'boot', 'noop')");
  EXPECT_EQ(FollowAll()->FindNode(repeater_)->capability.relay_proofs, 44U);
}

}  // namespace
}  // namespace heliograph::server
