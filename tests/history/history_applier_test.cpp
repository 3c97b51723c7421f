#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/history/applied_history.h"

namespace heliograph::testing {
namespace {

using ingestor::Outcome;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kUnknown = CapabilityStatus::kUnknown;
constexpr auto kSuspected = CapabilityStatus::kSuspected;
constexpr auto kConfirmed = CapabilityStatus::kConfirmed;
constexpr auto kAdvert = CapabilityEvidence::kAdvert;
constexpr auto kRelay = CapabilityEvidence::kRelay;
constexpr auto kPath = CapabilityEvidence::kPath;

class HistoryApplierTest : public ::testing::Test {
 protected:
  /// Main's status of a node, as its columns have it.
  std::int64_t Column(int node) {
    return history_.Ask("SELECT multibyte_sup FROM nodes WHERE public_key = '" +
                        NodeOf(static_cast<std::uint8_t>(node)).ToHex() + "'");
  }
  std::int64_t BranchId(const std::string& name) {
    return history_.Ask("SELECT branch_id FROM branch WHERE state = 'live' AND name = '" + name + "'");
  }
  void TearDown() override { EXPECT_THAT(history_.BrokenRules(), IsEmpty()); }

  AppliedHistory history_{3};
};

TEST_F(HistoryApplierTest, ABranchWritesForItselfAndLeavesMainAlone) {
  history_.Snapshot({Said(1, kSuspected, kPath)});
  const std::int64_t head = history_.head();
  EXPECT_EQ(history_.Branch(R"({"action":"create","name":"what-if"})").outcome, Outcome::kDone);
  const auto verdict = history_.Snapshot({Said(1, kConfirmed, kAdvert)}, BranchId("what-if"));
  EXPECT_EQ(verdict.outcome, Outcome::kApplied);
  EXPECT_EQ(history_.head(), head);
  EXPECT_EQ(Column(1), 1);
  EXPECT_EQ(history_.Ask("SELECT updated FROM commit_log ORDER BY commit_seq DESC LIMIT 1"), 1);
}

TEST_F(HistoryApplierTest, AMergeTakesWhatTheBranchChangedAndNamesBothParents) {
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(1, kConfirmed, kAdvert), Said(2, kSuspected, kPath)}, BranchId("b"));
  history_.Snapshot({Said(3, kConfirmed, kRelay)});
  const auto verdict = history_.Branch(R"({"action":"merge","name":"b"})");
  ASSERT_EQ(verdict.outcome, Outcome::kApplied) << verdict.reason;
  EXPECT_EQ(Column(1), 2);
  EXPECT_EQ(Column(2), 1);
  EXPECT_EQ(Column(3), 2);
  EXPECT_EQ(
      history_.Ask(
          "SELECT branch_id FROM commit_log WHERE commit_seq = (SELECT merged_parent_seq FROM commit_log "
          "WHERE commit_seq = (SELECT head_seq FROM branch WHERE branch_id = 1))"),
      BranchId("b"));
  EXPECT_EQ(history_.Branch(R"({"action":"merge","name":"b"})").outcome, Outcome::kNoop);
}

TEST_F(HistoryApplierTest, WhatBothHaveChangedIsAConflictUntilASideIsChosen) {
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(1, kConfirmed, kAdvert)}, BranchId("b"));
  history_.Snapshot({Said(1, kSuspected, kPath)});
  const std::int64_t head = history_.head();
  const auto conflict = history_.Branch(R"({"action":"merge","name":"b"})");
  EXPECT_EQ(conflict.outcome, Outcome::kConflict);
  EXPECT_EQ(nlohmann::json::parse(*conflict.result).at("entities").at(0).at("id"), NodeOf(1).ToHex());
  EXPECT_EQ(history_.head(), head);
  EXPECT_EQ(history_.Branch(R"({"action":"merge","name":"b","side":"branch"})").outcome, Outcome::kApplied);
  EXPECT_EQ(Column(1), 2);
}

TEST_F(HistoryApplierTest, WhatMainWasPreferredToIsNoConflictAgain) {
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(1, kConfirmed, kAdvert)}, BranchId("b"));
  history_.Snapshot({Said(1, kSuspected, kPath)});
  const auto verdict = history_.Branch(R"({"action":"merge","name":"b","side":"main"})");
  ASSERT_EQ(verdict.outcome, Outcome::kApplied) << verdict.reason;
  EXPECT_THAT(verdict.reason, HasSubstr("considered"));
  EXPECT_EQ(Column(1), 1);
  EXPECT_EQ(history_.Branch(R"({"action":"merge","name":"b"})").outcome, Outcome::kNoop);
  EXPECT_EQ(history_.Branch(R"({"action":"merge","name":"b","side":"branch"})").outcome, Outcome::kNoop);
}

TEST_F(HistoryApplierTest, ASecondMergeBringsOnlyWhatCameAfterTheFirst) {
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(1, kSuspected, kPath)}, BranchId("b"));
  history_.Branch(R"({"action":"merge","name":"b"})");
  history_.Snapshot({Said(1, kConfirmed, kRelay)});
  history_.Snapshot({Said(2, kSuspected, kPath)}, BranchId("b"));
  EXPECT_EQ(history_.Branch(R"({"action":"merge","name":"b"})").outcome, Outcome::kApplied);
  EXPECT_EQ(Column(1), 2) << "what main found out after the first merge stays";
  EXPECT_EQ(Column(2), 1);
}

TEST_F(HistoryApplierTest, ANameThatIsUsedAgainIsANewBranch) {
  history_.Branch(R"({"action":"create","name":"b"})");
  const std::int64_t first = BranchId("b");
  EXPECT_EQ(history_.Branch(R"({"action":"create","name":"b"})").outcome, Outcome::kConflict);
  EXPECT_EQ(history_.Branch(R"({"action":"delete","name":"b"})").outcome, Outcome::kDone);
  EXPECT_EQ(history_.Branch(R"({"action":"delete","name":"b"})").outcome, Outcome::kNoop);
  EXPECT_EQ(history_.Branch(R"({"action":"create","name":"b"})").outcome, Outcome::kDone);
  EXPECT_GT(BranchId("b"), first);
}

TEST_F(HistoryApplierTest, RequestsThatMakeNoSenseAreRejectedWithTheReason) {
  for (const char* request :
       {R"({"action":"create","name":"A b"})", R"({"action":"create","name":"x","from":"seq:99"})",
        R"({"action":"create","name":"x","from":7})", R"({"action":"delete","name":"main"})",
        R"({"action":"merge","name":"nowhere"})", R"({"action":"fly","name":"x"})", R"({"name":"x"})", "[]",
        "{"}) {
    EXPECT_EQ(history_.Branch(request).outcome, Outcome::kRejected) << request;
  }
  EXPECT_EQ(history_.Branch(R"({"action":"create","name":"main"})").outcome, Outcome::kConflict);
  for (const char* request :
       {R"({"action":"set","name":"p"})", R"({"action":"set","name":"p","commit":"seq:99"})",
        R"({"action":"set","name":"P","commit":"seq:1"})",
        R"({"action":"set","name":"p","commit":"seq:1","expires_at":"2001-01-01T00:00:00Z"})"}) {
    EXPECT_EQ(history_.Pin(request).outcome, Outcome::kRejected) << request;
  }
  EXPECT_EQ(history_.Revert("seq:1").outcome, Outcome::kRejected);
}

TEST_F(HistoryApplierTest, ABranchCanOnlyBeginOnMain) {
  history_.Branch(R"({"action":"create","name":"b"})");
  history_.Snapshot({Said(1, kSuspected, kPath)}, BranchId("b"));
  EXPECT_EQ(history_.Branch(R"({"action":"create","name":"c","from":"seq:2"})").outcome, Outcome::kRejected);
}

TEST_F(HistoryApplierTest, APinIsSetOnceAndRemovedOnce) {
  history_.Snapshot({Said(1, kSuspected, kPath)});
  EXPECT_EQ(history_.Pin(R"({"action":"set","name":"p","commit":"seq:2"})").outcome, Outcome::kDone);
  EXPECT_EQ(history_.Pin(R"({"action":"set","name":"p","commit":"seq:2"})").outcome, Outcome::kNoop);
  EXPECT_EQ(history_.Pin(R"({"action":"set","name":"p","commit":"seq:1"})").outcome, Outcome::kConflict);
  EXPECT_EQ(history_.Pin(R"({"action":"remove","name":"p"})").outcome, Outcome::kDone);
  EXPECT_EQ(history_.Pin(R"({"action":"remove","name":"p"})").outcome, Outcome::kNoop);
}

TEST_F(HistoryApplierTest, ARevertTakesBackOneCommit) {
  history_.Snapshot({Said(1, kSuspected, kPath)});
  history_.Snapshot({Said(1, kConfirmed, kAdvert), Said(2, kConfirmed, kRelay)});
  ASSERT_EQ(history_.Revert("seq:3").outcome, Outcome::kApplied);
  EXPECT_EQ(Column(1), 1);
  EXPECT_EQ(Column(2), 0);
  EXPECT_EQ(history_.Ask("SELECT count(*) FROM node_capability WHERE branch_id = 1 AND to_seq IS NULL"), 1);
}

TEST_F(HistoryApplierTest, WhatHasChangedSinceIsNotReverted) {
  history_.Snapshot({Said(1, kSuspected, kPath)});
  history_.Snapshot({Said(1, kConfirmed, kAdvert)});
  const auto verdict = history_.Revert("seq:2");
  EXPECT_EQ(verdict.outcome, Outcome::kConflict);
  EXPECT_THAT(verdict.reason, HasSubstr(NodeOf(1).ToHex()));
  EXPECT_EQ(history_.Revert("seq:99").outcome, Outcome::kRejected);
}

TEST_F(HistoryApplierTest, ASnapshotForABranchThatIsGoneIsRejected) {
  EXPECT_EQ(history_.Snapshot({Said(1, kSuspected, kPath)}, 7).outcome, Outcome::kRejected);
  EXPECT_EQ(history_.Snapshot({Said(1, kUnknown, {})}).outcome, Outcome::kNoop);
}

}  // namespace
}  // namespace heliograph::testing
