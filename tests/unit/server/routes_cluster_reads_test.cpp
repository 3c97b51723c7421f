#include <gmock/gmock.h>
#include <sqlite3.h>

#include <set>

#include "tests/unit/server/clusters_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// What answers about clusters cost, how they are bounded, and what they keep to themselves.
class ClusterReadsTest : public ClustersTest {
 protected:
  /// The steps that SQLite takes to answer: what a clock would tell, without the clock.
  std::int64_t StepsOf(const std::string& target) {
    const auto count = [&] {
      std::int64_t steps = 0;
      readers_->Read([&](ReaderConnection& reader) {
        sqlite3* handle = reader.database().getHandle();
        for (sqlite3_stmt* each = sqlite3_next_stmt(handle, nullptr); each != nullptr;
             each = sqlite3_next_stmt(handle, each))
          steps += sqlite3_stmt_status(each, SQLITE_STMTSTATUS_VM_STEP, 1);
      });
      return steps;
    };
    Get(target.ends_with('=') ? target + "500" : target);
    count();
    // A limit above the largest is as good as it, and one that no cache knows.
    const std::string other = target.ends_with('=') ? target + std::to_string(500 + ++asked_) : target;
    EXPECT_EQ(Get(other).status, 200) << other;
    const std::int64_t steps = count();
    EXPECT_GT(steps, 0) << other;
    return steps;
  }

  /// A run like the first one, without clusters and members; `commit` and `pruned_at` are SQL.
  void AddRun(std::int64_t run, const std::string& commit, const std::string& pruned_at) {
    const std::string same =
        "branch_id, collection, coverage, match_rule, algorithm, parameters, input_digest, content_digest,"
        " watermark, computed_at, quality, cluster_count, member_count, unclustered_count";
    const std::string number = std::to_string(run);
    mesh_.Run("INSERT INTO cluster_runs(run_id, file_id, commit_seq, pruned_at, " + same + ") SELECT " +
              number + ", 'f" + number + "', " + commit + ", " + pruned_at + ", " + same +
              " FROM cluster_runs WHERE run_id=1");
  }

  /// As many runs more as happen in some days: the two clusters go on, the first one is renamed again and
  /// again, and each time another one is born and taken back.
  void AddHistory(int runs) {
    mesh_.Run("BEGIN");
    for (int i = 0; i < runs; ++i) {
      const std::int64_t last = mesh_.Ask("SELECT max(commit_seq) FROM commit_log");
      const std::string before = std::to_string(last), now = std::to_string(last + 1);
      mesh_.Run(
          "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us,"
          " committed_us) VALUES (" +
          now + ", 'c" + now + "', 1, " + before +
          ", 'snapshot', 'test', 1, (SELECT max(committed_us) + 1 FROM commit_log))");
      AddRun(mesh_.Ask("SELECT max(run_id) + 1 FROM cluster_runs"), now, "1");
      mesh_.Run(
          "INSERT INTO cluster_tracks SELECT max(track_key) + 1, printf('%026d', max(track_key) + 1), 'mesh',"
          " 1, " +
          now + ", 1 FROM cluster_tracks");
      for (const char* track : {"1", "2", "(SELECT max(track_key) FROM cluster_tracks)"})
        mesh_.Run(
            "INSERT INTO cluster_merge_decisions SELECT (SELECT max(decision_id) + 1 FROM"
            " cluster_merge_decisions), 1, (SELECT max(run_id) FROM cluster_runs), NULL, " +
            now + ", 0, " + track + ", rule, " +
            (track[0] != '(' ? "'updated', 'growth'" : "'new', 'birth'") +
            ", shared, old_size, new_size, newcomers, share_old, share_new, jaccard, present_jaccard,"
            " turnover, score, second_score, confidence, reason FROM cluster_merge_decisions"
            " WHERE decision_id=1");
      mesh_.Run("INSERT INTO cluster_decision_states SELECT 1, max(decision_id), " + now +
                ", NULL, 'reverted' FROM cluster_merge_decisions");
      mesh_.Run("INSERT INTO cluster_track_states SELECT 1, max(track_key), " + now + ", NULL, 'x" + now +
                "', 'X', 0, 'ended', NULL, NULL, 0 FROM cluster_tracks");
      mesh_.Run("UPDATE cluster_track_states SET to_seq=" + now + " WHERE track_key=1 AND to_seq IS NULL");
      mesh_.Run("INSERT INTO cluster_track_states SELECT 1, 1, " + now +
                ", NULL, slug, title, 0, status,"
                " representative_key, NULL, 0 FROM cluster_track_states WHERE track_key=1 LIMIT 1");
      mesh_.Run("UPDATE branch SET head_seq=" + now + " WHERE branch_id=1");
    }
    mesh_.Run("COMMIT");
    Refresh();
  }

  int asked_ = 0;

  std::string IdOf(int representative) { return Listed("Around " + std::to_string(representative)).at("id"); }
};

// Cost -----------------------------------------------------------------------------------------------------

TEST_F(ClusterReadsTest, AnAnswerAboutThePresentCostsTheSameAfterALongHistory) {
  Apply(RunOf({kWest, kEast}, {20}));
  AddHistory(60);
  const std::vector<std::string> targets{"/api/clusters?limit=",
                                         "/api/clusters/around-1",
                                         "/api/clusters/around-1/lineage",
                                         "/api/clusters/around-1/lineage?continuations=true",
                                         "/api/clusters/lineage",
                                         "/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(11),
                                         "/api/clusters/explain?decision=1",
                                         "/api/clusters/report.md",
                                         "/api/nodes/" + Hex(1)};
  std::map<std::string, std::int64_t> before;
  for (const std::string& target : targets) before[target] = StepsOf(target);
  AddHistory(600);
  for (const std::string& target : targets)
    EXPECT_LT(StepsOf(target), 2 * before[target]) << target << ": " << before[target];
}

TEST_F(ClusterReadsTest, RunsAreComparedInTimeThatGrowsAsTheirMembers) {
  Apply(RunOf({kWest, kEast}));
  const auto add = [&](int run, int members) {
    AddRun(run, "NULL", "NULL");
    mesh_.Run("INSERT INTO cluster_snapshots SELECT " + std::to_string(run) + ", 0, 1, 1, 1, 0.5, '', ''");
    mesh_.Run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i<" +
              std::to_string(members) + ") INSERT INTO cluster_members SELECT " + std::to_string(run) +
              ", i, 0, 1000 FROM n");
    const std::string commit = std::to_string(mesh_.Ask("SELECT max(commit_seq) + 1 FROM commit_log"));
    mesh_.Run(
        "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us,"
        " committed_us) VALUES (" +
        commit + ", 'c" + commit + "', 1, " + commit +
        " - 1, 'snapshot', 'test', 1, (SELECT max(committed_us) + 1 FROM commit_log))");
    mesh_.Run("UPDATE cluster_runs SET commit_seq=" + commit + " WHERE run_id=" + std::to_string(run));
  };
  add(2, 200);
  add(3, 200);
  add(4, 1600);
  add(5, 1600);
  EXPECT_LT(StepsOf("/api/cluster-runs/4/diff/5"), 12 * StepsOf("/api/cluster-runs/2/diff/3"));
}

// Bounds ---------------------------------------------------------------------------------------------------

TEST_F(ClusterReadsTest, WhoMovedBetweenTwoRunsIsPaged) {
  config_.node_blacklist = {Hex(5)};
  Apply(RunOf({kWest, kEast}, {20}));
  Apply(RunOf({{1, 2, 3}, {4, 5, 6, 11, 12, 13, 14, 20}}));
  const Json whole = GetJson("/api/cluster-runs/1/diff/2");
  EXPECT_THAT(Column(whole.at("members"), "key"), ElementsAre(Hex(4), Hex(6), Hex(20)));
  EXPECT_TRUE(whole.at("next").is_null());
  EXPECT_EQ(whole.at("moved"), 3) << "without the hidden one";
  EXPECT_EQ(whole.at("flows").at(0).at("members"), 2);
  EXPECT_EQ(whole.at("flows_total"), 2);
  std::vector<std::string> keys;
  std::string cursor;
  do {
    const Json page =
        GetJson("/api/cluster-runs/1/diff/2?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor));
    EXPECT_EQ(page.at("members").size(), 1U);
    EXPECT_EQ(page.at("flows").size(), 1U);
    for (const std::string& key : Column(page.at("members"), "key")) keys.push_back(key);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  } while (!cursor.empty());
  EXPECT_EQ(keys, Column(whole.at("members"), "key"));
  const Json second =
      GetJson("/api/cluster-runs/1/diff/2?limit=1&flows_cursor=" +
              GetJson("/api/cluster-runs/1/diff/2?limit=1").at("flows_next").get<std::string>());
  EXPECT_EQ(second.at("flows").at(0), whole.at("flows").at(1));
  GetJson("/api/cluster-runs/1/diff/2?cursor=x", 400);
}

TEST_F(ClusterReadsTest, APageOfTheListEndsBeforeItsMembersAreTooMany) {
  Apply(RunOf({kWest, kEast, {21, 22, 23}}));
  mesh_.Run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i<27000)"
      " INSERT INTO identity(key, public_key) SELECT 1000000 + i, randomblob(32) FROM n");
  AddRun(2, "NULL", "NULL");
  mesh_.Run(
      "INSERT INTO cluster_snapshots SELECT 2, ordinal, track_key, 9000, 1, 0.5, '', '' FROM "
      "cluster_snapshots");
  mesh_.Run("INSERT INTO cluster_members SELECT 2, key, key % 3, 1000 FROM identity WHERE key>1000000");
  mesh_.Run(
      "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us,"
      " committed_us) SELECT max(commit_seq) + 1, 'c', 1, max(commit_seq), 'snapshot', 'test', 1,"
      " max(committed_us) + 1 FROM commit_log");
  mesh_.Run("UPDATE cluster_runs SET commit_seq=(SELECT max(commit_seq) FROM commit_log) WHERE run_id=2");
  mesh_.Run("UPDATE cluster_state SET active_run=2, previous_run=1");
  Refresh();
  const Json first = GetJson("/api/clusters?members=true");
  EXPECT_EQ(first.at("clusters").size(), 2U);
  EXPECT_EQ(first.at("total"), 3);
  ASSERT_FALSE(first.at("next").is_null());
  const Json second = GetJson("/api/clusters?members=true&cursor=" + first.at("next").get<std::string>());
  ASSERT_EQ(second.at("clusters").size(), 1U);
  EXPECT_EQ(second.at("clusters").at(0).at("members").size(), 9000U);
  EXPECT_TRUE(second.at("next").is_null());
}

TEST_F(ClusterReadsTest, CorrectionsOfAClusterArePaged) {
  Apply(RunOf({kWest, kEast}));
  for (int i = 0; i < 5; ++i)
    Correct(R"({"action":"rename","cluster":"around-1","title":"Name )" + std::to_string(i) +
            R"(","reason":""})");
  const Json whole = GetJson("/api/clusters/around-1");
  EXPECT_EQ(whole.at("overrides").size(), 5U);
  EXPECT_TRUE(whole.at("overrides_next").is_null());
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const Json page = GetJson("/api/clusters/around-1?overrides_limit=2" +
                              (cursor.empty() ? "" : "&overrides_cursor=" + cursor));
    EXPECT_LE(page.at("overrides").size(), 2U);
    for (const std::string& id : Column(page.at("overrides"), "id")) ids.push_back(id);
    cursor = page.at("overrides_next").is_null() ? "" : page.at("overrides_next").get<std::string>();
  } while (!cursor.empty());
  EXPECT_EQ(ids, Column(whole.at("overrides"), "id"));
  GetJson("/api/clusters/around-1?overrides_cursor=x", 400);
}

// Merges ---------------------------------------------------------------------------------------------------

TEST_F(ClusterReadsTest, AMergeIsForEverOnlyWhenEachOnTheWayIs) {
  Apply(RunOf({kWest, kEast, {21, 22, 23}}));
  const std::string west = IdOf(1), east = IdOf(11), third = IdOf(21);
  std::vector<int> whole = kWest;
  whole.insert(whole.end(), kEast.begin(), kEast.end());
  Apply(RunOf({whole, {21, 22, 23}}));
  whole.push_back(15);
  Apply(RunOf({whole, {21, 22, 23}}));
  ASSERT_EQ(Get("/api/clusters/" + east).status, 308);
  Correct(R"({"action":"merge","cluster":")" + third + R"(","other":")" + west + R"(","reason":""})");
  const Response moved = Get("/api/clusters/" + east);
  EXPECT_EQ(moved.status, 307) << "the merge by hand may be taken back";
  EXPECT_EQ(*moved.FindHeader("Location"), "/api/clusters/" + third);
}

TEST_F(ClusterReadsTest, AMergeOfADamagedDatabaseThatGoesInACircleEndsAtTheOldest) {
  Apply(RunOf({kWest, kEast}));
  const std::string west = IdOf(1), east = IdOf(11);
  Correct(R"({"action":"merge","cluster":")" + west + R"(","other":")" + east + R"(","reason":""})");
  mesh_.Run("DROP TRIGGER cluster_track_states_are_frozen");
  mesh_.Run(
      "UPDATE cluster_track_states SET status='merged', merged_into=2, merged_by_hand=1 WHERE track_key=1"
      " AND to_seq IS NULL");
  Refresh();
  const Response back = Get("/api/clusters/" + east);
  EXPECT_EQ(back.status, 307);
  EXPECT_EQ(*back.FindHeader("Location"), "/api/clusters/" + west);
  EXPECT_EQ(GetJson("/api/clusters/" + west).at("members_total"), 10);
  EXPECT_EQ(GetJson("/api/nodes/" + Hex(11)).at("cluster").at("id"), west);
}

// Words ----------------------------------------------------------------------------------------------------

TEST_F(ClusterReadsTest, ExplainsAMemberThatIsInNoClusterByTheRunsThatLookedAtIt) {
  Apply(RunOf({kWest, kEast}, {20}));
  Apply(RunOf({kWest, kEast}, {21}));
  Apply(RunOf({{2, 3, 4, 5, 6}, kEast}, {1}));
  const Json answer = GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(2));
  EXPECT_TRUE(answer.at("a").at("cluster").is_null());
  EXPECT_EQ(answer.at("runs_with_both"), 3);
  EXPECT_EQ(answer.at("runs_together"), 2);
}

TEST_F(ClusterReadsTest, ExplainsTwoThatAreApartByWhatIsKnown) {
  Apply(RunOf({kWest, kEast}, {20}));
  const std::string words = GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(11)).at("words");
  EXPECT_THAT(words, HasSubstr("a is in Around 1 and b in Around 11."));
  EXPECT_THAT(words, HasSubstr("a belongs to its cluster with 99 % of its weight."));
  EXPECT_THAT(words, Not(HasSubstr("more of its weight")));
}

TEST_F(ClusterReadsTest, GrowthIsNoChangeOfAClusterForTheListOfTheLatestChanged) {
  Apply(RunOf({kEast, kWest}));
  Apply(RunOf({{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16}, kEast}));
  ASSERT_EQ(GetJson("/api/cluster-runs/2?continuations=true").at("decisions").dump().find("growth") ==
                std::string::npos,
            false);
  const Json west = Listed("Around 1");
  EXPECT_EQ(west.at("changed_at"), west.at("born_at"));
}

// What is hidden -------------------------------------------------------------------------------------------

TEST_F(ClusterReadsTest, NoAnswerAboutClustersNamesAHiddenNode) {
  config_.node_blacklist = {Hex(1)};
  config_.hidden_name_prefixes = {"node 11"};
  Apply(RunOf({kWest, kEast}, {20}));
  const std::string west = IdOf(1), east = IdOf(11);
  const std::string correction = Correct(R"({"action":"include","cluster":")" + west + R"(","members":[")" +
                                         Hex(11) + R"("],"reason":""})");
  Apply(RunOf({{2, 3, 4, 5, 6}, {1, 11, 12, 13, 14}}, {20}));
  AddBranch("what-if");
  Apply(RunOf({{2, 3, 4, 5, 6, 1}, {11, 12, 13, 14}}, {20}), 2);
  for (const std::string& target :
       {std::string("/api/clusters?members=true"), "/api/clusters/" + west, "/api/clusters/" + east,
        "/api/clusters/" + east + "/lineage", std::string("/api/clusters/lineage"),
        std::string("/api/clusters/report.md"), std::string("/api/cluster-runs/1/diff/2"),
        std::string("/api/branches/what-if/diff"), std::string("/api/changes?limit=500"),
        "/api/entities/cluster/" + west, "/api/entities/cluster_override/" + correction,
        std::string("/api/clusters?members=true&as_of=seq:2")}) {
    const Response answer = Get(target);
    EXPECT_EQ(answer.status, 200) << target;
    for (const std::string& secret : {Hex(1), Hex(11), std::string("node 11")})
      EXPECT_THAT(answer.Text(), Not(HasSubstr(secret))) << target;
  }
  for (const int hidden : {1, 11}) GetJson("/api/clusters/explain?a=" + Hex(hidden) + "&b=" + Hex(2), 404);
}

}  // namespace
}  // namespace heliograph::server
