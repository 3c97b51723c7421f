#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/history/damage.h"

namespace heliograph::testing {
namespace {

using ::testing::IsEmpty;

/// A database with clusters on main (runs 1, 3, 4 and 5) and on the branch b (run 2), whose run was merged as
/// run 3 and reverted with run 4; with a correction that was undone, and a name that was given and taken
/// back.
class ClusterCheckTest : public ::testing::Test {
 protected:
  ClusterCheckTest() {
    history_.Clusters(Grouped({{1, 2, 3}, {4, 5, 6}}, 8));  // commit 2
    history_.Branch(R"({"action":"create","name":"b"})");
    history_.Clusters(Grouped({{1, 2, 3, 4, 5, 6}}, 8), 2);           // 3, on the branch
    history_.Branch(R"({"action":"merge","name":"b"})");              // 4
    history_.Revert("seq:4");                                         // 5
    const std::string exclusion = Correct(OverrideAction::kExclude);  // 6
    history_.Clusters(Grouped({{1, 2, 3}, {4, 5, 6}, {7, 8}}, 8));    // 7
    Undo(exclusion);                                                  // 8
    Undo(Correct(OverrideAction::kRename));                           // 9 and 10
  }

  std::string Correct(OverrideAction action) {
    ClusterOverride request;
    request.action = action;
    request.cluster = "around-1";
    if (action == OverrideAction::kExclude) request.members = {NodeOf(2).ToHex()};
    if (action == OverrideAction::kRename) request.title = "The Bay";
    return nlohmann::json::parse(history_.Correct(request).result.value()).at("override");
  }
  void Undo(const std::string& id) {
    ClusterOverride request;
    request.action = OverrideAction::kUndo;
    request.undoes = Ulid::Parse(id);
    history_.Correct(request);
  }

  AppliedHistory history_{8};
};

TEST_F(ClusterCheckTest, FindsNothingInWhatTheProgramsWrite) {
  EXPECT_EQ(history_.head(), 10);
  EXPECT_EQ(history_.Ask("SELECT count(*) FROM cluster_runs WHERE commit_seq IS NOT NULL"), 5);
  EXPECT_THAT(history_.BrokenRules(), IsEmpty());
}

TEST_F(ClusterCheckTest, FindsNothingWhileABranchThatIsDeletedIsReclaimed) {
  history_.Branch(R"({"action":"delete","name":"b"})");
  history_.Run("DELETE FROM cluster_track_states WHERE branch_id=2 AND to_seq IS NULL");
  history_.Run("DELETE FROM cluster_state WHERE branch_id=2");
  EXPECT_THAT(history_.BrokenRules(), IsEmpty());
}

class ClusterDamageTest : public ClusterCheckTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(ClusterDamageTest, IsNamedWithTheRowThatBreaksTheRule) {
  ExpectNamed(history_, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ClusterDamageTest,
    ::testing::Values(
        Damage{"PointerLags", "UPDATE cluster_state SET active_run=4 WHERE branch_id=1",
               "names its newest applied run", "mesh"},
        Damage{"PointerGone", "DELETE FROM cluster_state WHERE branch_id=2",
               "that has applied runs points at one", "b, mesh"},
        Damage{"AnotherPrevious", "UPDATE cluster_state SET previous_run=1 WHERE branch_id=1",
               "the previous run is the one", "mesh"},
        Damage{"ActiveIsPruned", "UPDATE cluster_runs SET pruned_at=1 WHERE run_id=5",
               "the active and the previous run are whole", "run 5"},
        Damage{"MatchedAfterAnother", "UPDATE cluster_runs SET previous_run_id=1 WHERE run_id=5",
               "matched after the one that was active", "run 5"},
        Damage{"RunOfAnotherFile", "UPDATE cluster_runs SET file_id='x' WHERE run_id=5",
               "came with a commit of its branch", "run 5"},
        Damage{"CommitWithoutRun", "DELETE FROM cluster_runs WHERE run_id=1",
               "a commit of a cluster snapshot brought a run", "commit 2"},
        Damage{"MembersMiscounted", "UPDATE cluster_runs SET member_count=9 WHERE run_id=5",
               "an applied run has the members", "run 5"},
        Damage{"ClustersMiscounted", "UPDATE cluster_runs SET cluster_count=9 WHERE run_id=5",
               "an applied run has the clusters", "run 5"},
        Damage{"ClusterMiscounted", "UPDATE cluster_snapshots SET size=9 WHERE run_id=5 AND ordinal=0",
               "a cluster has the members", "run 5"},
        Damage{"MemberOfNoCluster", "UPDATE cluster_members SET ordinal=9 WHERE run_id=5 AND ordinal=2",
               "is in a cluster of its run", "run 5, member"},
        Damage{"StrangerForRepresentative",
               "UPDATE cluster_snapshots SET representative_key=99 WHERE run_id=5 AND ordinal=1",
               "represented by a member", "run 5, cluster 1"},
        Damage{"TwoClustersOfOneTrack", "UPDATE cluster_snapshots SET track_key=1 WHERE run_id=5",
               "no two clusters of a run", "run 5"},
        Damage{"CopyOfAnother", "UPDATE cluster_runs SET copy_of=1 WHERE run_id=3", "a copy of a run says",
               "run 3"},
        Damage{"TrackOfNothing",
               "DELETE FROM cluster_track_states WHERE track_key=(SELECT max(track_key) FROM cluster_tracks)",
               "a track began with a commit", "the first is 0"},
        Damage{"MergedIntoNothing",
               "UPDATE cluster_track_states SET merged_into=99 WHERE track_key=2 AND branch_id=1 AND to_seq "
               "IS NULL",
               "leads to one of its collection", "the first is 0"},
        Damage{"MergedInACircle",
               "UPDATE cluster_track_states SET merged_into=3 - track_key WHERE track_key IN (1, 2) AND "
               "to_seq IS"
               " NULL AND branch_id=1",
               "no track leads back to itself", "the first is 0"},
        Damage{"NameOfTwo", "UPDATE cluster_track_states SET slug='around-1' WHERE track_key=2",
               "a name leads to one track of a branch", "around-1"},
        Damage{"DecisionOfAnotherCommit", "UPDATE cluster_merge_decisions SET commit_seq=2 WHERE run_id=5",
               "made with a run of its branch", "decision"},
        Damage{"DecisionOfAnotherTrack",
               "UPDATE cluster_merge_decisions SET track_key=1 WHERE run_id=5 AND track_key=2",
               "names the track that its cluster became", "decision"},
        Damage{"CorrectionOfNobody", "DELETE FROM cluster_override_members", "moves members names some",
               "the first is 0"},
        Damage{"UndoneAndInForce", "UPDATE cluster_overrides SET to_seq=NULL WHERE action='exclude'",
               "what is undone is no longer in force", "the first is 0"},
        Damage{"TwoJobsAtOnce",
               "INSERT INTO cluster_jobs SELECT value, 1, 'mesh', 'run', 'running', 'request', 'boot', 'a', "
               "'{}', 1,"
               " 1, NULL, NULL, '{}', NULL FROM json_each('[\"job 1\", \"job 2\"]')",
               "one job of a branch and collection", "job 1"},
        Damage{"JobOfNoRun",
               "INSERT INTO cluster_jobs VALUES ('job', 1, 'mesh', 'run', 'succeeded', 'request', 'boot', "
               "'a', '{}',"
               " 1, 1, 1, 99, '{}', NULL)",
               "a job that names a run made it", "job"},
        Damage{"StatesOfATrackOverlap",
               "UPDATE cluster_track_states SET to_seq=9 WHERE track_key=2 AND to_seq=4",
               "intervals of cluster_track_states do not overlap", "row 1, 2, 2"},
        Damage{"TrackWithAGap",
               "DELETE FROM cluster_track_states WHERE track_key=2 AND branch_id=1 AND to_seq IS NULL",
               "intervals of cluster_track_states follow each other", "row 1, 2"},
        Damage{"DecisionWithAGap", "DELETE FROM cluster_decision_states WHERE to_seq IS NULL",
               "intervals of cluster_decision_states follow each other", "row 1"},
        Damage{"NameOfAnotherBranch", "UPDATE cluster_aliases SET from_seq=3",
               "intervals of cluster_aliases begin and end with commits", "row 1"},
        Damage{"CorrectionOfAnotherBranch", "UPDATE cluster_overrides SET from_seq=3 WHERE action='exclude'",
               "intervals of cluster_overrides begin and end with commits", "row 1"}),
    [](const auto& damage) { return std::string(damage.param.name); });

}  // namespace
}  // namespace heliograph::testing
