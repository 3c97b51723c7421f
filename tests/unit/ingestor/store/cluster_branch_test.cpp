#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/ingestor/store/cluster_volume.h"

namespace heliograph::ingestor {
namespace {

using ::testing::HasSubstr;

const std::vector<int> kWest{1, 2, 3, 4, 5, 6}, kEast{11, 12, 13, 14, 15}, kSouth{21, 22, 23};
const std::vector<int> kAll{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15};

/// Main stands at run 1 with West and East; the branch "b" began there.
class ClusterBranchTest : public ClusterVolumeTest {
 protected:
  ClusterBranchTest() {
    Applied(RunOf({kWest, kEast}));
    west_ = TrackOf(1);
    east_ = TrackOf(11);
    branch_ = CreateBranch("b");
  }

  std::string Merge(const std::string& side = "", const std::string& name = "b") {
    nlohmann::json request{{"action", "merge"}, {"name", name}};
    if (!side.empty()) request["side"] = side;
    return Requested(queue::Kind::kBranchRequest, request.dump());
  }
  std::string Revert(std::int64_t commit) {
    return Requested(queue::Kind::kRevert, R"({"commit":"seq:)" + std::to_string(commit) + "\"}");
  }
  nlohmann::json ResultOf(const std::string& id) {
    return nlohmann::json::parse(Text("SELECT coalesce(result, 'null') FROM ledger WHERE id='" + id + "'"));
  }
  std::int64_t Active(std::int64_t branch = 1) {
    return store_->database()
        .execAndGet("SELECT active_run FROM cluster_state WHERE branch_id=" + std::to_string(branch))
        .getInt64();
  }
  /// Who is together with whom in a run, and how firmly.
  std::string MembersOf(std::int64_t run) {
    return Text(
        "SELECT group_concat(m) FROM (SELECT member_key || ':' || coalesce(ordinal, '-') || ':' || strength "
        "AS m FROM cluster_members WHERE run_id=" +
        std::to_string(run) + " ORDER BY member_key)");
  }
  /// Every row that main answers from.
  std::string Main() {
    std::string all;
    for (const char* rows :
         {"cluster_runs WHERE branch_id=1",
          "cluster_snapshots WHERE run_id IN (SELECT run_id FROM "
          "cluster_runs WHERE branch_id=1)",
          "cluster_state WHERE branch_id=1", "cluster_track_states WHERE branch_id=1",
          "cluster_decision_states WHERE branch_id=1", "cluster_merge_decisions WHERE branch_id=1",
          "cluster_aliases", "cluster_overrides", "cluster_tracks WHERE branch_id=1",
          "commit_log WHERE branch_id=1", "branch WHERE branch_id=1",
          "cluster_override_counters WHERE branch_id=1"}) {
      SQLite::Statement statement(store_->database(), std::string("SELECT * FROM ") + rows);
      while (statement.executeStep()) {
        for (int i = 0; i < statement.getColumnCount(); ++i) all += statement.getColumn(i).getString() + '|';
        all += '\n';
      }
    }
    return all;
  }
  std::string TrackIn(std::int64_t run, int node) {
    return Text(
        "SELECT t.track_id FROM cluster_members AS m JOIN identity AS i ON i.key=m.member_key JOIN"
        " cluster_snapshots AS c USING(run_id, ordinal) JOIN cluster_tracks AS t USING(track_key)"
        " WHERE m.run_id=" +
        std::to_string(run) + " AND lower(hex(i.public_key))='" + NodeKey(node) + "'");
  }

  std::int64_t branch_ = 0;
  std::string west_, east_;
};

// On a branch -----------------------------------------------------------------------------------------------

TEST_F(ClusterBranchTest, ARunOnABranchChangesNothingThatMainAnswersFrom) {
  const std::string before = Main();
  EXPECT_EQ(AppliedOn(branch_, RunOf({kAll, kSouth})), "applied");
  EXPECT_EQ(AppliedOn(branch_, RunOf({kAll, kSouth})), "applied") << "it confirms what the first found";
  EXPECT_EQ(Main(), before);
  Restart();
  EXPECT_EQ(Applied(RunOf({kWest, kEast, kSouth})), "applied");
  EXPECT_EQ(TrackOf(1), west_);
  EXPECT_EQ(TrackOf(11), east_);
}

TEST_F(ClusterBranchTest, ABranchSeesMainsTracksAsOfItsBase) {
  Applied(RunOf({kAll}));
  AppliedOn(branch_, RunOf({kWest, {11, 12, 13, 14, 15, 16}}));
  const std::int64_t run = Active(branch_);
  EXPECT_EQ(TrackIn(run, 1), west_);
  EXPECT_EQ(TrackIn(run, 16), east_) << "main merged the two after the branch began";
  EXPECT_EQ(StatusOf(east_), "merged");
  EXPECT_EQ(Text("SELECT previous_run_id FROM cluster_runs WHERE run_id=" + std::to_string(run)), "1");
}

TEST_F(ClusterBranchTest, BranchesDoNotSeeEachOther) {
  const std::int64_t other = CreateBranch("c");
  AppliedOn(branch_, RunOf({kWest, kEast, kSouth}));
  AppliedOn(other, RunOf({kWest, kEast, kSouth}));
  EXPECT_EQ(TrackIn(Active(branch_), 1), TrackIn(Active(other), 1));
  EXPECT_NE(TrackIn(Active(branch_), 21), TrackIn(Active(other), 21));
  Applied(RunOf({kWest, kEast, kSouth}));
  EXPECT_NE(TrackOf(21), TrackIn(Active(branch_), 21));
  EXPECT_NE(TrackOf(21), TrackIn(Active(other), 21));
  EXPECT_EQ(Count("cluster_track_states WHERE slug='around-21' AND to_seq IS NULL"), 3)
      << "nor does anybody notice what the others call theirs";
}

TEST_F(ClusterBranchTest, ANameThatMainGaveAwayMeanwhileIsNotGivenTwice) {
  AppliedOn(branch_, RunOf({kWest, kEast, kSouth}));
  auto elsewhere = RunOf({kWest, kEast, {31, 32, 33}});
  elsewhere.clusters.back().label = "Around 21";
  Applied(elsewhere);
  EXPECT_EQ(OutcomeOf(Merge("branch")), "applied");
  EXPECT_EQ(Text("SELECT group_concat(slug) FROM (SELECT DISTINCT slug FROM cluster_track_states WHERE"
                 " branch_id=1 AND slug LIKE 'around-21%' ORDER BY slug)"),
            "around-21,around-21-2");
}

TEST_F(ClusterBranchTest, ADoubtOnABranchBringsNoTrackOfMainBack) {
  Applied(RunOf({kAll}));
  Applied(RunOf({kAll}));  // the merge of East is settled
  const std::int64_t late = CreateBranch("late");
  // On the branch East's end is doubted for a run; main has no doubt.
  store_->database().exec(
      "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us,"
      " committed_us, ledger_id) SELECT head_seq + 1, 'doubt', branch_id, head_seq, 'maintenance', 'a', 1,"
      " 9e15, NULL FROM branch WHERE name='late'");
  store_->database().exec(
      "INSERT INTO cluster_decision_states(branch_id, decision_id, from_seq, state) SELECT " +
      std::to_string(late) +
      ", decision_id, (SELECT commit_seq FROM commit_log WHERE commit_id='doubt'), 'tentative' FROM"
      " cluster_merge_decisions WHERE outcome='dissolved'");
  Restart();
  Applied(RunOf({kWest, kEast}));
  EXPECT_NE(TrackOf(11), east_);
}

TEST_F(ClusterBranchTest, ACorrectionIsMadeOnMainAlone) {
  ClusterOverride close;
  close.action = OverrideAction::kClose;
  close.cluster = west_;
  auto fields = Fields(queue::Kind::kOverride, "overrides");
  fields.branch_id = branch_;
  const auto id = publisher_->Publish(fields, EncodeClusterOverride(close))->id.ToText();
  Apply();
  EXPECT_EQ(OutcomeOf(id), "rejected");
  EXPECT_THAT(ReasonOf(id), HasSubstr("on main"));
  EXPECT_EQ(Count("cluster_overrides"), 0);
}

// Merges ----------------------------------------------------------------------------------------------------

TEST_F(ClusterBranchTest, AMergeBringsAFrozenCopyOfTheBranchsRun) {
  AppliedOn(branch_, RunOf({{1, 2, 3, 4, 5, 6, 7}, kEast}, {30}));
  const std::int64_t original = Active(branch_);
  const auto id = Merge();
  ASSERT_EQ(OutcomeOf(id), "applied") << ReasonOf(id);
  const std::int64_t copy = Active();
  EXPECT_GT(copy, original);
  EXPECT_EQ(MembersOf(copy), MembersOf(original));
  const std::string facts =
      "SELECT algorithm || parameters || hex(input_digest) || hex(content_digest) || watermark || quality ||"
      " cluster_count || member_count || unclustered_count || computed_at FROM cluster_runs WHERE run_id=";
  EXPECT_EQ(Text(facts + std::to_string(copy)), Text(facts + std::to_string(original)));
  EXPECT_EQ(
      Text("SELECT copy_of || ' ' || previous_run_id || ' ' || file_id FROM cluster_runs WHERE run_id=" +
           std::to_string(copy)),
      std::to_string(original) + " 1 " + id);
  EXPECT_EQ(TrackOf(7), west_);
  const auto result = ResultOf(id);
  EXPECT_EQ(result.at("runs").at(0).at("copy_of"), original);
  EXPECT_EQ(result.at("runs").at(0).at("run"), copy);
  EXPECT_EQ(result.at("runs").at(0).at("updated"), 2);
}

TEST_F(ClusterBranchTest, AMergeIsOneCommitWithTwoParents) {
  AppliedOn(branch_, RunOf({kAll}));
  const std::int64_t head = Head();
  Merge();
  EXPECT_EQ(
      Text("SELECT kind || ' ' || stream || ' ' || parent_seq || ' ' || (SELECT branch_id FROM commit_log"
           " WHERE commit_seq=m.merged_parent_seq) FROM commit_log AS m WHERE commit_seq=" +
           std::to_string(Head())),
      "merge clusters/mesh " + std::to_string(head) + " " + std::to_string(branch_));
  EXPECT_EQ(StatusOf(east_), "merged");
  EXPECT_EQ(Text("SELECT kind FROM change_log ORDER BY seq DESC LIMIT 1"), "commit");
  EXPECT_EQ(Count("change_log WHERE kind='cluster_run_applied' AND branch_id=1"), 2);
}

TEST_F(ClusterBranchTest, ASecondMergeHasNothingToDo) {
  AppliedOn(branch_, RunOf({kAll}));
  Merge();
  const auto again = Merge();
  EXPECT_EQ(OutcomeOf(again), "noop");
  EXPECT_EQ(Count("cluster_runs"), 3);
}

TEST_F(ClusterBranchTest, WhatBeganOnTheBranchKeepsItsNameOnMain) {
  AppliedOn(branch_, RunOf({kWest, kEast, kSouth}));
  const std::string south = TrackIn(Active(branch_), 21);
  Merge();
  EXPECT_EQ(TrackOf(21), south);
  EXPECT_EQ(Text("SELECT group_concat(slug) FROM cluster_track_states JOIN cluster_tracks USING(track_key)"
                 " WHERE cluster_track_states.branch_id=1 AND track_id='" +
                 south + "'"),
            "around-21");
  Restart();
  Applied(RunOf({kWest, kEast, {21, 22, 23, 24}}));
  EXPECT_EQ(TrackOf(24), south);
}

TEST_F(ClusterBranchTest, MainThatHasMovedOnIsAConflictThatNamesTheRuns) {
  AppliedOn(branch_, RunOf({kAll}));
  Applied(RunOf({kWest, kEast, kSouth}));
  const std::string before = Main();
  const auto id = Merge();
  EXPECT_EQ(OutcomeOf(id), "conflict");
  EXPECT_THAT(ReasonOf(id), HasSubstr("choose a side"));
  EXPECT_EQ(ResultOf(id).at("stream"), "clusters/mesh");
  EXPECT_EQ(ResultOf(id).at("runs").at(0), (nlohmann::json{{"stream", "clusters/mesh"},
                                                           {"collection", "mesh"},
                                                           {"base_run", 1},
                                                           {"main_run", Active()},
                                                           {"branch_run", Active(branch_)}}));
  EXPECT_EQ(Main(), before);
  EXPECT_EQ(Count("cluster_runs WHERE commit_seq IS NULL"), 0) << "nothing was staged in vain";
}

TEST_F(ClusterBranchTest, TheSideOfTheBranchTakesItsRunAllTheSame) {
  AppliedOn(branch_, RunOf({kAll}));
  Applied(RunOf({kWest, kEast, kSouth}));
  const std::string south = TrackOf(21);
  EXPECT_EQ(OutcomeOf(Merge("branch")), "applied");
  EXPECT_EQ(MembersOf(Active()), MembersOf(Active(branch_)));
  EXPECT_EQ(StatusOf(south), "ended") << "nobody had confirmed that it had begun";
}

TEST_F(ClusterBranchTest, TheSideOfMainIsRecordedOnce) {
  AppliedOn(branch_, RunOf({kAll}));
  Applied(RunOf({kWest, kEast, kSouth}));
  const std::int64_t active = Active();
  const auto id = Merge("main");
  EXPECT_EQ(OutcomeOf(id), "applied");
  EXPECT_EQ(ResultOf(id).at("kept").at(0).at("branch_run"), Active(branch_));
  EXPECT_EQ(Active(), active);
  EXPECT_EQ(Text("SELECT kind || inserted || updated || removed FROM commit_log WHERE commit_seq=" +
                 std::to_string(Head())),
            "merge000");
  EXPECT_EQ(OutcomeOf(Merge()), "noop");
  EXPECT_EQ(AppliedOn(branch_, RunOf({kAll})), "applied") << "it settles what the first left open";
  EXPECT_EQ(OutcomeOf(Merge()), "noop") << "and says nothing that was not considered";
  AppliedOn(branch_, RunOf({kAll, {31, 32, 33}}));
  EXPECT_EQ(OutcomeOf(Merge()), "applied") << "main has not moved on since";
  EXPECT_EQ(Count("cluster_members WHERE run_id=" + std::to_string(Active())), 14);
}

TEST_F(ClusterBranchTest, ABranchThatSaysWhatMainSaysHasNothingToMerge) {
  AppliedOn(branch_, RunOf({kWest, kEast, kSouth}));
  Applied(RunOf({kWest, kEast, kSouth}));
  EXPECT_EQ(OutcomeOf(Merge()), "noop");
}

TEST_F(ClusterBranchTest, ABranchThatWentBackToItsBaseHasNothingToMerge) {
  AppliedOn(branch_, RunOf({kAll}));
  AppliedOn(branch_, RunOf({kWest, kEast}));
  Applied(RunOf({kWest, kEast, kSouth}));
  EXPECT_EQ(OutcomeOf(Merge()), "noop");
}

TEST_F(ClusterBranchTest, MainsCorrectionsBindTheRunThatAMergeBrings) {
  AppliedOn(branch_, RunOf({{1, 2, 3, 4, 5, 6, 7, 8}, kEast}));
  ClusterOverride exclude;
  exclude.action = OverrideAction::kExclude;
  exclude.cluster = west_;
  exclude.members = {NodeKey(3)};
  ASSERT_EQ(Applied(exclude), "applied");
  ClusterOverride merge;
  merge.action = OverrideAction::kMerge;
  merge.cluster = west_;
  merge.other = east_;
  ASSERT_EQ(Applied(merge), "applied");
  const auto id = Merge();
  ASSERT_EQ(OutcomeOf(id), "applied") << ReasonOf(id);
  EXPECT_EQ(ResultOf(id).at("runs").at(0).at("blocked"), 1);
  EXPECT_EQ(TrackOf(11), west_);
  EXPECT_EQ(Count("cluster_override_counters WHERE branch_id=1"), 1);
}

TEST_F(ClusterBranchTest, AMergeOfAPartialRunBringsAllThatTheBranchHas) {
  auto partial = RunOf({{1, 2, 7}});
  partial.coverage = RunCoverage::kPartial;
  AppliedOn(branch_, partial);
  EXPECT_EQ(OutcomeOf(Merge()), "applied");
  EXPECT_EQ(TrackOf(7), west_);
  EXPECT_EQ(TrackOf(15), east_);
  EXPECT_EQ(MembersOf(Active()), MembersOf(Active(branch_)));
}

TEST_F(ClusterBranchTest, BothCollectionsComeInOneCommit) {
  auto items = RunOf({});
  items.collection = ClusterCollection::kItems;
  SnapshotCluster cluster;
  for (const char* item : {"github:1", "github:2"}) cluster.members.push_back({item, 1});
  cluster.representative = "github:1";
  items.clusters = {cluster};
  auto fields = Fields(queue::Kind::kClusterSnapshot, "clusters/items");
  fields.branch_id = branch_;
  publisher_->Publish(fields, EncodeClusterSnapshot(items));
  AppliedOn(branch_, RunOf({kWest, kEast, kSouth, {31, 32}}));
  const std::int64_t commits = Count("commit_log");
  const auto id = Merge();
  ASSERT_EQ(OutcomeOf(id), "applied") << ReasonOf(id);
  EXPECT_EQ(Count("commit_log"), commits + 1);
  EXPECT_EQ(Count("cluster_state WHERE branch_id=1 AND commit_seq=" + std::to_string(Head())), 2);
  EXPECT_EQ(Count("commit_log WHERE stream IS NULL AND inserted=3 AND commit_seq=" + std::to_string(Head())),
            1);
  EXPECT_EQ(ResultOf(id).at("runs").size(), 2U);
}

TEST_F(ClusterBranchTest, AMergeThatIsInterruptedStagesAnew) {
  AppliedOn(branch_, RunOf({kAll}));
  publisher_->Publish(Fields(queue::Kind::kBranchRequest, "requests"), R"({"action":"merge","name":"b"})");
  for (int piece = 0; piece < 4; ++piece) ASSERT_TRUE(applier_->Run().unfinished);
  EXPECT_EQ(Count("cluster_runs WHERE commit_seq IS NULL"), 1);
  Restart();
  Apply();
  EXPECT_EQ(Count("cluster_runs WHERE commit_seq IS NULL"), 0);
  EXPECT_EQ(Count("cluster_runs"), 3);
  EXPECT_EQ(StatusOf(east_), "merged");
}

TEST_F(ClusterBranchTest, ARunWhoseMembersAreGoneIsNotMerged) {
  AppliedOn(branch_, RunOf({kAll}));
  store_->database().exec("DROP TRIGGER cluster_runs_are_frozen");
  store_->database().exec("UPDATE cluster_runs SET pruned_at=1 WHERE branch_id=" + std::to_string(branch_));
  const auto id = Merge();
  EXPECT_EQ(OutcomeOf(id), "rejected");
  EXPECT_THAT(ReasonOf(id), HasSubstr("thinned out"));
}

// Reverts ---------------------------------------------------------------------------------------------------

TEST_F(ClusterBranchTest, ARevertBringsTheRunThatWasActiveBefore) {
  Applied(RunOf({kAll}));
  const auto id = Revert(Head());
  ASSERT_EQ(OutcomeOf(id), "applied") << ReasonOf(id);
  EXPECT_EQ(MembersOf(Active()), MembersOf(1));
  EXPECT_EQ(TrackOf(11), east_);
  EXPECT_EQ(StatusOf(east_), "active");
  EXPECT_EQ(Text("SELECT kind || ' ' || stream FROM commit_log WHERE commit_seq=" + std::to_string(Head())),
            "revert clusters/mesh");
  EXPECT_EQ(ResultOf(id).at("runs").at(0).at("copy_of"), 1);
}

TEST_F(ClusterBranchTest, ARevertOfAMergeTakesItsRunBack) {
  AppliedOn(branch_, RunOf({kAll}));
  Merge();
  EXPECT_EQ(OutcomeOf(Revert(Head())), "applied");
  EXPECT_EQ(MembersOf(Active()), MembersOf(1));
  EXPECT_EQ(OutcomeOf(Merge()), "noop") << "what was merged was considered";
}

TEST_F(ClusterBranchTest, WhatALaterRunFollowedIsNotReverted) {
  Applied(RunOf({kAll}));
  const std::int64_t commit = Head();
  Applied(RunOf({kAll, kSouth}));
  const auto id = Revert(commit);
  EXPECT_EQ(OutcomeOf(id), "conflict");
  EXPECT_THAT(ReasonOf(id), HasSubstr("is active since"));
}

TEST_F(ClusterBranchTest, BeforeTheFirstRunThereIsNothingToGoBackTo) {
  const auto id = Revert(Head());
  EXPECT_EQ(OutcomeOf(id), "rejected");
  EXPECT_THAT(ReasonOf(id), HasSubstr("the first run"));
}

TEST_F(ClusterBranchTest, ACorrectionIsUndoneNotReverted) {
  ClusterOverride close;
  close.action = OverrideAction::kClose;
  close.cluster = west_;
  const auto correction = Publish(close);
  Apply();
  const auto id = Revert(Head());
  EXPECT_EQ(OutcomeOf(id), "rejected");
  EXPECT_THAT(ReasonOf(id), HasSubstr("/api/clusters/undo/" + correction));
  EXPECT_EQ(StatusOf(west_), "closed");
}

}  // namespace
}  // namespace heliograph::ingestor
