#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ingestor/store/cluster_volume.h"

namespace heliograph::ingestor {
namespace {

using ::testing::HasSubstr;
using Action = OverrideAction;

/// Two clusters, West of the nodes 1 to 6 and East of 11 to 15.
class OverrideApplierTest : public ClusterVolumeTest {
 protected:
  OverrideApplierTest() {
    Applied(RunOf({kWest, kEast}));
    west_ = TrackOf(1);
    east_ = TrackOf(11);
  }

  ClusterOverride On(const std::string& cluster, Action action) {
    ClusterOverride request;
    request.action = action;
    request.cluster = cluster;
    request.reason = "for a test";
    return request;
  }
  ClusterOverride On(const std::string& cluster, Action action, const std::vector<int>& nodes) {
    auto request = On(cluster, action);
    for (const int node : nodes) request.members.push_back(NodeKey(node));
    return request;
  }
  std::string Undo(const std::string& id) {
    ClusterOverride request;
    request.action = Action::kUndo;
    request.undoes = Ulid::Parse(id);
    return Applied(request);
  }
  std::string Title(const std::string& track) {
    return Text(
        "SELECT title || ' / ' || slug FROM cluster_track_states JOIN cluster_tracks USING(track_key)"
        " WHERE to_seq IS NULL AND track_id='" +
        track + "'");
  }

  inline static const std::vector<int> kWest{1, 2, 3, 4, 5, 6}, kEast{11, 12, 13, 14, 15};
  std::string west_, east_;
};

TEST_F(OverrideApplierTest, RenamesForGood) {
  auto rename = On(west_, Action::kRename);
  rename.title = "The Bay";
  EXPECT_EQ(Applied(rename), "applied");
  EXPECT_EQ(Title(west_), "The Bay / the-bay");
  auto run = RunOf({{2, 3, 4, 5, 6, 7}, kEast});
  run.clusters[0].label = "Somewhere";
  Applied(run);
  EXPECT_EQ(Title(west_), "The Bay / the-bay");
  EXPECT_EQ(Text("SELECT alias FROM cluster_aliases WHERE to_seq IS NULL"), "around-1");
  EXPECT_EQ(Text("SELECT kind || ' ' || actor FROM commit_log WHERE kind='edit'"), "edit test");
}

TEST_F(OverrideApplierTest, FindsAClusterByTheNameThatItHad) {
  auto rename = On("around-1", Action::kRename);
  rename.title = "The Bay";
  Applied(rename);
  EXPECT_EQ(Applied(On("around-1", Action::kClose)), "applied");
  EXPECT_EQ(StatusOf(west_), "closed");
}

TEST_F(OverrideApplierTest, UndoesARename) {
  auto rename = On(west_, Action::kRename);
  rename.title = "The Bay";
  const auto id = Publish(rename);
  Apply();
  EXPECT_EQ(Undo(id), "applied");
  EXPECT_EQ(Title(west_), "Around 1 / around-1");
  EXPECT_EQ(Undo(id), "noop");
}

TEST_F(OverrideApplierTest, RefusesWhatRestsOnAnOldState) {
  const auto base = Head();
  Applied(On(west_, Action::kClose));
  const auto late = Publish(On(west_, Action::kReopen), base);
  const auto elsewhere = Publish(On(east_, Action::kClose), base);
  Apply();
  EXPECT_EQ(OutcomeOf(late), "conflict");
  EXPECT_THAT(ReasonOf(late), HasSubstr("has changed since"));
  EXPECT_EQ(OutcomeOf(elsewhere), "applied");
}

TEST_F(OverrideApplierTest, CountsHowOftenAnExclusionKeptAMemberOut) {
  EXPECT_EQ(Applied(On(west_, Action::kExclude, {3})), "applied");
  for (int extra = 21; extra < 31; ++extra) Applied(RunOf({kWest, kEast}, {extra}));
  EXPECT_EQ(Text("SELECT blocked FROM cluster_override_counters"), "10");
}

TEST_F(OverrideApplierTest, HoldsAnIncludedMemberWhereverARunPutsIt) {
  EXPECT_EQ(Applied(On(east_, Action::kInclude, {1, 2, 3, 4})), "applied");
  Applied(RunOf({{5, 6}, {1, 2, 3, 4, 11, 12}}));
  EXPECT_EQ(TrackOf(5), west_);
  EXPECT_EQ(TrackOf(11), east_);
}

TEST_F(OverrideApplierTest, MergesTwoClustersWhateverLaterRunsSay) {
  auto merge = On(west_, Action::kMerge);
  merge.other = east_;
  const auto id = Publish(merge);
  Apply();
  EXPECT_EQ(OutcomeOf(id), "applied");
  Applied(RunOf({kWest, {11, 12, 13, 14, 15, 16}}));
  EXPECT_EQ(TrackOf(16), west_);
  EXPECT_EQ(Undo(id), "applied");
  EXPECT_EQ(TrackOf(16), east_);
  EXPECT_EQ(StatusOf(east_), "active");
}

TEST_F(OverrideApplierTest, SplitsMembersOffAndTakesThemBack) {
  auto split = On(west_, Action::kSplit, {5, 6});
  split.title = "South";
  const auto id = Publish(split);
  Apply();
  EXPECT_EQ(OutcomeOf(id), "applied");
  const std::string part =
      Text("SELECT json_extract(result, '$.split_off') FROM ledger WHERE id='" + id + "'");
  EXPECT_EQ(Title(part), "South / south");
  Applied(RunOf({{1, 2, 3, 4}, {5, 6}, kEast}));
  EXPECT_EQ(TrackOf(5), part);
  EXPECT_EQ(Undo(id), "applied");
  EXPECT_EQ(StatusOf(part), "merged");
  EXPECT_EQ(TrackOf(5), west_);
}

TEST_F(OverrideApplierTest, KeepsAClosedClusterClosedAndReopensIt) {
  Applied(On(west_, Action::kClose));
  Applied(RunOf({{1, 2, 3, 4, 5, 6, 7, 8}, kEast}));
  EXPECT_EQ(StatusOf(west_), "closed");
  EXPECT_EQ(Text("SELECT newcomers FROM cluster_merge_decisions WHERE run_id=2 ORDER BY track_key LIMIT 1"),
            "2");
  EXPECT_EQ(Applied(On(west_, Action::kReopen)), "applied");
  EXPECT_EQ(StatusOf(west_), "active");
  EXPECT_EQ(Applied(On(west_, Action::kReopen)), "noop");
}

TEST_F(OverrideApplierTest, RefusesWhatMakesNoSense) {
  auto with_itself = On(west_, Action::kMerge);
  with_itself.other = west_;
  EXPECT_EQ(Applied(with_itself), "rejected");
  EXPECT_EQ(Applied(On("nowhere", Action::kClose)), "rejected");
  EXPECT_EQ(Applied(On(west_, Action::kExclude, {11})), "rejected");
  EXPECT_EQ(Applied(On(west_, Action::kSplit, kWest)), "rejected");
  EXPECT_EQ(Applied(On(west_, Action::kInclude, {90})), "rejected");
  EXPECT_EQ(Undo(Ulid::Generate(kNoon).ToText()), "rejected");
  EXPECT_EQ(Count("cluster_overrides"), 0);
}

TEST_F(OverrideApplierTest, RefusesATrackThatHasBeenMergedSince) {
  const auto base = Head();
  Applied(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15}}));
  const auto late = Publish(On(east_, Action::kClose), base);
  Apply();
  EXPECT_EQ(OutcomeOf(late), "conflict");
}

TEST_F(OverrideApplierTest, AClusterOfAllThatWasMergedCarriesOnTheWhole) {
  auto merge = On(east_, Action::kMerge);
  merge.other = west_;  // the larger one
  Applied(merge);
  Applied(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15}}));
  EXPECT_EQ(StatusOf(east_), "active");
  EXPECT_EQ(TrackOf(1), east_);
  EXPECT_EQ(Text("SELECT count(*) FROM cluster_track_states AS a JOIN cluster_track_states AS b ON"
                 " b.track_key=a.merged_into AND b.to_seq IS NULL WHERE a.to_seq IS NULL AND b.merged_into IS"
                 " NOT NULL"),
            "0");
}

TEST_F(OverrideApplierTest, AMergeThatIsUndoneAfterManyRunsGivesBothIdentitiesBack) {
  auto merge = On(east_, Action::kMerge);
  merge.other = west_;
  const auto id = Publish(merge);
  Apply();
  for (int extra = 21; extra < 31; ++extra) Applied(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15}}, {extra}));
  EXPECT_EQ(Undo(id), "applied");
  for (const bool again : {false, true}) {
    if (again) Restart();
    Applied(RunOf({kWest, kEast}, {again ? 31 : 32}));
    EXPECT_EQ(TrackOf(1), west_);
    EXPECT_EQ(TrackOf(11), east_);
  }
}

TEST_F(OverrideApplierTest, AnUndoGivesBackWhatTheOthersInForceComeTo) {
  Applied(On(west_, Action::kClose));
  auto merge = On(east_, Action::kMerge);
  merge.other = west_;
  const auto id = Publish(merge);
  Apply();
  EXPECT_EQ(Undo(id), "applied");
  EXPECT_EQ(StatusOf(west_), "closed");
  std::vector<std::string> renames;
  for (const std::string title : {"North", "South"}) {
    auto rename = On(west_, Action::kRename);
    rename.title = title;
    renames.push_back(Publish(rename));
    Apply();
  }
  Undo(renames[0]);
  EXPECT_EQ(Title(west_), "South / south");
  Undo(renames[1]);
  EXPECT_EQ(Title(west_), "Around 1 / around-1");
}

TEST_F(OverrideApplierTest, AWholeThatWasMergedIntoItsPartStaysThereWhenTheSplitIsUndone) {
  const auto split = Publish(On(west_, Action::kSplit, {5, 6}));
  Apply();
  auto merge = On(Text("SELECT json_extract(result, '$.split_off') FROM ledger WHERE id='" + split + "'"),
                  Action::kMerge);
  merge.other = west_;
  Applied(merge);
  EXPECT_EQ(Undo(split), "applied");
  EXPECT_EQ(StatusOf(merge.cluster), "active");
  EXPECT_EQ(TrackOf(1), merge.cluster);
}

TEST_F(OverrideApplierTest, LetsTheLaterOfTwoCorrectionsOfAMemberCount) {
  Applied(On(west_, Action::kExclude, {3}));
  Applied(On(west_, Action::kInclude, {3}));
  Applied(RunOf({kWest, kEast}, {21}));
  EXPECT_EQ(Count("cluster_override_counters"), 0);
}

}  // namespace
}  // namespace heliograph::ingestor
