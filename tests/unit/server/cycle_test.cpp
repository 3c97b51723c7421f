#include "server/analytics/cycle.h"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/state/follower.h"
#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using Result = CycleReport::Result;

class AnalyticsCycleOnVolume : public ::testing::Test {
 protected:
  AnalyticsCycleOnVolume() {
    assessment_.epoch = dbschema::ReadMeta(observatory_.database(), "epoch");
    assessment_.watermark = 5;
    assessment_.head_seq = 1;
    assessment_.changed = 1;
    CapabilityEntry entry;
    entry.public_key = KeyOf({1});
    entry.status = CapabilityStatus::kConfirmed;
    entry.evidence = CapabilityEvidence::kAdvert;
    assessment_.computed = {entry};
    publisher_ = *queue::Publisher::Open(observatory_.volume(), "boot");
  }
  AnalyticsCycle& Cycle(bool supersede = false) {
    AnalyticsCycle::Settings settings;
    settings.supersede_pending = supersede;
    cycle_.emplace([this] { return std::optional(assessment_); }, *publisher_, readers_, settings);
    return *cycle_;
  }
  /// What the ingestor does with the one file that waits.
  void Apply(const CycleReport& report, const std::string& outcome) {
    observatory_.Run(
        "INSERT INTO ledger(id, kind, stream, branch_id, producer_seq, applied_at, boot_id, outcome) "
        "VALUES ('" +
        report.id->ToText() + "', 'multibyte-snapshot', 'multibyte', 1, 1, 1, 'boot', '" + outcome + "')");
    const auto waiting = publisher_->List();
    for (const auto& file : waiting->files)
      std::filesystem::remove(observatory_.volume().queue_new() / file.name);
  }

  Observatory observatory_;
  ReaderPool readers_{observatory_.file()};
  CapabilityAssessment assessment_;
  std::unique_ptr<queue::Publisher> publisher_;
  std::optional<AnalyticsCycle> cycle_;
};

TEST_F(AnalyticsCycleOnVolume, PublishesWhatTheDatabaseDoesNotHold) {
  const CycleReport report = Cycle().RunOnce();
  ASSERT_EQ(report.result, Result::kPublished) << report.text;
  const auto waiting = publisher_->Outstanding(kMultibyteStream);
  ASSERT_EQ(waiting->size(), 1U);
  const queue::Envelope& envelope = waiting->front().envelope;
  EXPECT_EQ(envelope.id, *report.id);
  EXPECT_EQ(envelope.watermark, 5);
  EXPECT_EQ(envelope.base_commit_seq, 1);
  EXPECT_EQ(envelope.epoch, assessment_.epoch);
  const auto payload = publisher_->Read(waiting->front().name);
  ASSERT_TRUE(payload);
  EXPECT_EQ(DecodeMultibyteSnapshot(payload->payload)->entries, assessment_.computed);
}

TEST_F(AnalyticsCycleOnVolume, PublishesNothingWhenTheDatabaseHoldsItAll) {
  assessment_.changed = 0;
  EXPECT_EQ(Cycle().RunOnce().result, Result::kUnchanged);
  EXPECT_TRUE(publisher_->List()->files.empty());
}

/// One node that advertises, and of which nothing else is known.
ReadinessMaterial LoneNode() {
  NodeView view;
  view.key = IdentityKey{1};
  view.public_key = KeyOf({1});
  ReadinessMaterial material;
  material.nodes.push_back({std::make_shared<const NodeView>(view), true});
  material.model = std::make_shared<const MeshModel>();
  return material;
}

TEST_F(AnalyticsCycleOnVolume, PublishesReadinessThatTheDatabaseDoesNotHold) {
  assessment_.changed = 0;
  assessment_.material = LoneNode();
  const CycleReport report = Cycle().RunOnce();
  ASSERT_EQ(report.result, Result::kPublished) << report.text;
  const auto payload = publisher_->Read(publisher_->Outstanding(kMultibyteStream)->front().name);
  const auto snapshot = DecodeMultibyteSnapshot(payload->payload);
  ASSERT_TRUE(snapshot->readiness);
  EXPECT_EQ(snapshot->readiness->scopes.at(0).knowledge.nodes, 1);
  EXPECT_EQ(cycle_->Readiness()->readiness, *snapshot->readiness);
}

TEST_F(AnalyticsCycleOnVolume, PublishesNothingWhenTheStoredReadinessSaysTheSame) {
  assessment_.changed = 0;
  assessment_.material = LoneNode();
  SwitchReadiness stored;
  stored.scopes.resize(1);
  assessment_.stored_readiness = std::make_shared<const SwitchReadiness>(stored);
  EXPECT_EQ(Cycle().RunOnce().result, Result::kUnchanged);
  EXPECT_TRUE(publisher_->List()->files.empty());
}

TEST_F(AnalyticsCycleOnVolume, AssessesReadinessOnceForTheSamePackets) {
  assessment_.material = LoneNode();
  AnalyticsCycle& cycle = Cycle();
  cycle.RunOnce();
  const auto first = cycle.Readiness();
  cycle.RunOnce();
  EXPECT_EQ(cycle.Readiness(), first);
  ++assessment_.watermark;
  cycle.RunOnce();
  EXPECT_NE(cycle.Readiness(), first);
}

TEST_F(AnalyticsCycleOnVolume, PublishesAgainWhatVanishedWithoutAnOutcome) {
  AnalyticsCycle& cycle = Cycle();
  const CycleReport first = cycle.RunOnce();
  const auto waiting = publisher_->List();
  ASSERT_EQ(waiting->files.size(), 1U);
  std::filesystem::remove(observatory_.volume().queue_new() / waiting->files.front().name);
  const CycleReport second = cycle.RunOnce();
  EXPECT_EQ(second.result, Result::kPublished) << second.text;
  EXPECT_NE(second.id, first.id);
}

TEST_F(AnalyticsCycleOnVolume, WaitsForTheFileThatIsOutstanding) {
  AnalyticsCycle& cycle = Cycle();
  const CycleReport first = cycle.RunOnce();
  assessment_.watermark = 6;
  const CycleReport second = cycle.RunOnce();
  EXPECT_EQ(second.result, Result::kPending);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(publisher_->List()->files.size(), 1U);
}

TEST_F(AnalyticsCycleOnVolume, WaitsForAFileOfAnEarlierServer) {
  Cycle().RunOnce();
  EXPECT_EQ(Cycle().RunOnce().result, Result::kPending);
}

TEST_F(AnalyticsCycleOnVolume, ACommandThatRunsOncePublishesANewerState) {
  Cycle().RunOnce();
  EXPECT_EQ(Cycle(true).RunOnce().result, Result::kPending);
  assessment_.watermark = 6;
  EXPECT_EQ(Cycle(true).RunOnce().result, Result::kPublished);
}

TEST_F(AnalyticsCycleOnVolume, SaysNothingTwice) {
  AnalyticsCycle& cycle = Cycle();
  Apply(cycle.RunOnce(), "done");
  EXPECT_EQ(cycle.RunOnce().result, Result::kUnchanged);
  assessment_.computed[0].advert_proofs = 2;
  EXPECT_EQ(cycle.RunOnce().result, Result::kPublished);
}

TEST_F(AnalyticsCycleOnVolume, SaysItAgainWhenTheDatabaseWasAnother) {
  AnalyticsCycle& cycle = Cycle();
  Apply(cycle.RunOnce(), "wrong_epoch");
  EXPECT_EQ(cycle.RunOnce().result, Result::kPublished);
}

TEST_F(AnalyticsCycleOnVolume, NumbersGoOnAfterThoseOfTheLedger) {
  observatory_.Run(
      "INSERT INTO ledger(id, producer_seq, applied_at, boot_id, outcome) VALUES ('x', 41, 1, 'b', 'done')");
  Cycle().RunOnce();
  EXPECT_EQ(publisher_->List()->files.at(0).envelope.producer_seq, 42);
}

TEST_F(AnalyticsCycleOnVolume, ADatabaseThatCannotBeReadIsAReportAndNoCrash) {
  std::filesystem::remove_all(observatory_.volume().database_folder());
  ReaderPool none(observatory_.file(), {.retry_for = std::chrono::milliseconds(1)});
  AnalyticsCycle cycle([this] { return std::optional(assessment_); }, *publisher_, none, {});
  EXPECT_EQ(cycle.RunOnce().result, Result::kFailed);
}

TEST_F(AnalyticsCycleOnVolume, RunsByItselfOnceThereIsSomething) {
  std::atomic<bool> complete{false};
  AnalyticsCycle::Settings settings;
  settings.first_look = std::chrono::milliseconds(1);
  AnalyticsCycle cycle(
      [&]() -> std::optional<CapabilityAssessment> {
        if (complete) return assessment_;
        complete = true;
        return std::nullopt;
      },
      *publisher_, readers_, settings);
  cycle.Start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (cycle.Latest().result != Result::kPublished && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  cycle.Stop();
  EXPECT_EQ(publisher_->List()->files.size(), 1U);
}

}  // namespace
}  // namespace heliograph::server
