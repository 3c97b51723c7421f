#include <gmock/gmock.h>

#include "tests/history/damage.h"

namespace heliograph::testing {
namespace {

using ::testing::IsEmpty;

/// A database with a branch, a merge, a pin and a revert.
class HistoryCheckTest : public ::testing::Test {
 protected:
  HistoryCheckTest() {
    history_.Snapshot({Said(1, CapabilityStatus::kConfirmed, CapabilityEvidence::kAdvert)});  // 2
    history_.Branch(R"({"action":"create","name":"b"})");
    history_.Snapshot({Said(2, CapabilityStatus::kSuspected, CapabilityEvidence::kPath)},
                      2);                                 // 3, on the branch
    history_.Branch(R"({"action":"merge","name":"b"})");  // 4
    history_.Pin(R"({"action":"set","name":"p","commit":"seq:2"})");
    history_.Snapshot({Said(1, CapabilityStatus::kConfirmed, CapabilityEvidence::kAdvert, 0.5)});  // 5
    history_.Revert("seq:5");                                                                      // 6
  }

  AppliedHistory history_{3};
};

TEST_F(HistoryCheckTest, FindsNothingInWhatTheProgramsWrite) {
  EXPECT_THAT(history_.BrokenRules(), IsEmpty());
}

class HistoryDamageTest : public HistoryCheckTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(HistoryDamageTest, IsNamedWithTheRowThatBreaksTheRule) {
  ExpectNamed(history_, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Rules, HistoryDamageTest,
    ::testing::Values(
        Damage{"AppliedWithoutCommit", "UPDATE ledger SET commit_seq=1 WHERE commit_seq=2",
               "an applied queue file has exactly one commit", "the first is 0"},
        Damage{"CommitWithoutLedger", "DELETE FROM ledger WHERE commit_seq=2",
               "a commit of a queue file has its row in the ledger", "commit 2"},
        Damage{"SnapshotOfNoFile", "UPDATE commit_log SET ledger_id=NULL WHERE commit_seq=5",
               "come of no queue file", "commit 5"},
        Damage{"WatermarkGoesBack", "UPDATE ledger SET watermark=watermark-1 WHERE commit_seq=5",
               "watermarks of what was applied", "the first is 0"},
        Damage{"HeadIsNotTheNewest", "UPDATE branch SET head_seq=4 WHERE branch_id=1", "a branch's head is",
               "main"},
        Damage{"BrokenChain", "UPDATE commit_log SET parent_seq=2 WHERE commit_seq=5", "form one chain",
               "commit 5"},
        Damage{"SecondGenesis", "UPDATE commit_log SET kind='genesis' WHERE commit_seq=5", "one first commit",
               "commit 5"},
        Damage{"TimeGoesBack", "UPDATE commit_log SET committed_us=1 WHERE commit_seq=5",
               "times of commits grow", "commit 5"},
        Damage{"BranchOfABranch", "UPDATE branch SET base_seq=3 WHERE branch_id=2", "a branch begins on main",
               "b"},
        Damage{"MergeOfMain", "UPDATE commit_log SET merged_parent_seq=2 WHERE commit_seq=4",
               "a merge goes into main", "commit 4"},
        Damage{"FloorAboveABase", "UPDATE meta SET value='3' WHERE key='history_floor'",
               "what a live branch or a pin needs", "branch b"},
        Damage{"FloorAboveTheHead", "UPDATE meta SET value='7' WHERE key='history_floor'",
               "the floor of history is not above", "the first is 7"},
        Damage{"FeedFloorAboveItsHead", "UPDATE meta SET value='99' WHERE key='feed_floor'",
               "the floor of the feed is not above", "99"},
        Damage{"ColumnsSayOtherwise", "UPDATE nodes SET multibyte_sup=0 WHERE public_key LIKE '01%'",
               "the columns of a node say", "0101"},
        Damage{"KnownMadeUnknown",
               "UPDATE node_capability SET status=0, evidence=NULL WHERE from_seq=5 AND node_key="
               "(SELECT key FROM identity WHERE hex(public_key) LIKE '0101%')",
               "no snapshot makes an unknown", "at commit 5"},
        Damage{"StatusWithoutEvidence", "UPDATE node_capability SET evidence=NULL WHERE from_seq=3",
               "a status has evidence exactly", "at commit 3"},
        Damage{"CommitCountsWrong", "UPDATE commit_log SET updated=7 WHERE commit_seq=5",
               "a capability commit counts", "commit 5"},
        Damage{"IntervalsOverlap", "UPDATE node_capability SET to_seq=6 WHERE from_seq=2",
               "intervals of node_capability do not overlap", "row 1, "},
        Damage{"IntervalOfAnotherBranch", "UPDATE node_capability SET from_seq=2 WHERE from_seq=3",
               "begin and end with commits of their branch", "row 2, "},
        Damage{"GapInTheFeed", "DELETE FROM change_log WHERE seq=3", "no gap above its floor",
               "the first is 4"},
        Damage{"FeedLostItsEnd", "DELETE FROM change_log WHERE seq=(SELECT max(seq) FROM change_log)",
               "the feed reaches its head", "the first is"},
        Damage{"CommitNotInTheFeed", "UPDATE change_log SET kind='x' WHERE kind='commit' AND commit_seq=4",
               "closes its block", "commit 4"},
        Damage{"CommitTwiceInTheFeed",
               "INSERT INTO change_log(commit_seq,branch_id,kind,entity_kind,entity_id,payload,logged_at)"
               " VALUES (5,1,'commit','commit','x','{}',1)",
               "each commit once, and in their order", "row"},
        Damage{"ChangeAfterItsCommit",
               "INSERT INTO change_log(commit_seq,branch_id,kind,entity_kind,entity_id,payload,logged_at)"
               " VALUES (5,1,'capability_changed','node','x','{}',1)",
               "comes before its own row", "row"},
        Damage{"NodeInBothTables",
               "INSERT INTO inactive_nodes SELECT * FROM nodes WHERE public_key LIKE '01%'",
               "active or inactive, not both", "0101"},
        Damage{"ObservationOfNothing", "DELETE FROM transmissions WHERE id=1", "belongs to a transmission",
               "the first is 1"},
        Damage{"ObservationsMiscounted", "UPDATE transmissions SET observation_count=9 WHERE id=2",
               "counts its observations", "the first is 2"}),
    [](const auto& damage) { return std::string(damage.param.name); });

}  // namespace
}  // namespace heliograph::testing
