#include <gmock/gmock.h>

#include <map>
#include <set>

#include "server/history/entity_kind.h"
#include "tests/unit/server/clusters_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Clusters that were found, joined, corrected and divided, one commit after the other.
class ClusterHistoryTest : public ClustersTest {
 protected:
  using Step = std::function<void()>;

  std::string Members(std::initializer_list<int> nodes) {
    std::string list;
    for (const int node : nodes) list += (list.empty() ? "\"" : ",\"") + Hex(node) + "\"";
    return "[" + list + "]";
  }

  /// Everything that can happen to clusters; each step makes at least one commit.
  std::vector<Step> EventfulLife() {
    return {
        [&] {
          Apply(RunOf({kWest, kEast}, {20}));
        },
        [&] { Correct(R"({"action":"rename","cluster":"around-1","title":"The Bay","reason":"known so"})"); },
        [&] {
          Correct(R"({"action":"exclude","cluster":"the-bay","members":)" + Members({6}) +
                  R"(,"reason":""})");
        },
        [&] {
          branch_ = AddBranch("what-if"), Apply(RunOf({{1, 2, 3}, {4, 5, 6}, kEast}), branch_);
        },
        [&] {
          Apply(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14}}, {20}));
        },
        [&] {
          Apply(RunOf({{1, 2, 3, 4, 5, 6, 11, 12, 13, 14}, {20, 21, 22}}));
        },
        [&] { last_ = Correct(R"({"action":"merge","cluster":"the-bay","other":"around-20","reason":""})"); },
        [&] { Correct(R"({"action":"undo","undoes":")" + last_ + R"(","reason":"no"})"); },
        [&] {
          Correct(R"({"action":"split","cluster":"the-bay","title":"East again","members":)" +
                  Members({11, 12, 13}) + R"(,"reason":""})");
        },
        [&] {
          Apply(RunOf({{1, 2, 3, 4, 5, 6}, {20, 21, 22}}, {11, 12, 13, 14}));
        },
        [&] { Correct(R"({"action":"close","cluster":"east-again","reason":""})"); },
        [&] {
          Apply(RunOf({{1, 2, 3, 4, 5, 6}, {15, 20, 21, 22}}, {11}));
        },
        [&] {
          Apply(queue::Kind::kBranchRequest, "branches",
                R"({"action":"merge","name":"what-if","side":"branch"})");
          Refresh();
        },
        [&] {
          Apply(queue::Kind::kRevert, "reverts", R"({"commit":")" + Commit(Head()) + R"("})");
          Refresh();
        },
        [&] {
          Apply(RunOf({{1, 2, 3, 4, 5}, {6, 15, 20, 21, 22}}, {11}));
        },
    };
  }

  /// Questions about clusters, without as_of.
  std::vector<std::string> Questions() {
    std::vector<std::string> questions{
        "/api/clusters?status=all",
        "/api/clusters?status=all&sort=changed&q=around",
        "/api/clusters?members=true",
        "/api/clusters/lineage?continuations=true",
        "/api/clusters/report.md?",
        "/api/cluster-runs?",
        "/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(11),
        "/api/clusters/explain?decision=1",
        "/api/clusters/explain?decision=5",
    };
    for (const char* name : {"around-1", "around-11", "around-20", "the-bay", "east-again"}) {
      questions.push_back(std::string("/api/clusters/") + name + "?");
      questions.push_back(std::string("/api/clusters/") + name + "/lineage?continuations=true");
      questions.push_back(std::string("/api/entities/cluster/") + name + "?");
    }
    return questions;
  }

  static std::string Told(const Response& response) {
    const std::string* tag = response.FindHeader("ETag");
    return std::to_string(response.status) + " " + (tag ? *tag : "") + " " + response.Text();
  }
  std::string Commit(std::int64_t seq) {
    SQLite::Statement row(mesh_.database(), "SELECT commit_id FROM commit_log WHERE commit_seq=?");
    row.bind(1, seq);
    row.executeStep();
    return row.getColumn(0).getString();
  }

  std::int64_t branch_ = 0;
  std::string last_;
};

TEST_F(ClusterHistoryTest, WhatWasSaidAsOfACommitIsSaidForEver) {
  std::map<std::string, std::string> told;
  for (const Step& step : EventfulLife()) {
    step();
    for (const std::string& question : Questions()) {
      std::vector<std::string> asked{question + "&as_of=" + Commit(Head())};
      if (branch_ != 0) asked.push_back(question + "&branch=what-if&as_of=" + Commit(Head(branch_)));
      for (const std::string& each : asked) told[each] = Told(Get(each));
    }
  }
  mesh_.Run("UPDATE nodes SET name='another name', role='companion', revision=" +
            std::to_string(mesh_.NextRevision()));
  mesh_.Run("UPDATE cluster_override_counters SET blocked=blocked+7");
  Refresh();
  std::set<std::string> statuses;
  for (const auto& [question, answer] : told) {
    EXPECT_EQ(Told(Get(question)), answer) << question;
    statuses.insert(answer.substr(0, 3));
  }
  EXPECT_THAT(statuses, ::testing::IsSupersetOf({"200", "307", "404"}));
}

TEST_F(ClusterHistoryTest, ThePastHasNothingThatOnlyThePresentKnows) {
  Apply(RunOf({kWest, kEast}));
  Correct(R"({"action":"exclude","cluster":"around-1","members":)" + Members({6}) + R"(,"reason":""})");
  Apply(RunOf({kWest, kEast}, {20}));
  const std::string as_of = "as_of=" + Commit(Head());
  const Json then = GetJson("/api/clusters/around-1?" + as_of), now = GetJson("/api/clusters/around-1");
  EXPECT_EQ(now.at("overrides").at(0).at("blocked"), 1);
  EXPECT_TRUE(then.at("overrides").at(0).at("blocked").is_null());
  EXPECT_EQ(now.at("members").at(0).at("name"), "node 1");
  EXPECT_TRUE(then.at("members").at(0).at("name").is_null());
  EXPECT_TRUE(then.at("representative").at("name").is_null());
  EXPECT_EQ(then.at("base"), Head());
  EXPECT_TRUE(GetJson("/api/cluster-runs?" + as_of).at("runs").at(0).at("pruned").is_null());
  EXPECT_TRUE(GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(2) + "&" + as_of)
                  .at("runs_together")
                  .is_null());
}

TEST_F(ClusterHistoryTest, EveryFormOfAsOfReachesTheCommit) {
  Apply(RunOf({kWest, kEast}));
  const std::int64_t seq = Head();
  const std::string micros = std::to_string(
      mesh_.Ask("SELECT committed_us FROM commit_log WHERE commit_seq=" + std::to_string(seq)));
  mesh_.Run("INSERT INTO pin VALUES ('two', " + std::to_string(seq) + ", 'test', 1, NULL)");
  Apply(RunOf({kWest}, kEast));
  const std::string by_id = Get("/api/clusters?as_of=" + Commit(seq)).Text();
  for (const std::string& form :
       {"seq:" + std::to_string(seq), "time:" + micros + "us", std::string("pin:two")})
    EXPECT_EQ(Get("/api/clusters?as_of=" + form).Text(), by_id) << form;
  EXPECT_EQ(Json::parse(by_id).at("total"), 2);
}

TEST_F(ClusterHistoryTest, BelowTheFloorEveryAnswerNamesTheFloor) {
  Apply(RunOf({kWest, kEast}));
  const std::string as_of = "as_of=" + Commit(Head());
  Apply(RunOf({kWest}, kEast));
  mesh_.Run("UPDATE meta SET value='" + std::to_string(Head()) + "' WHERE key='history_floor'");
  for (const std::string path :
       {"/api/clusters?", "/api/clusters/around-1?", "/api/clusters/around-1/lineage?",
        "/api/clusters/explain?decision=1&", "/api/clusters/report.md?", "/api/cluster-runs?",
        "/api/entities/cluster/around-1?"}) {
    const Json gone = GetJson(path + as_of, 410);
    EXPECT_EQ(gone.at("code"), "history_reclaimed") << path;
    EXPECT_EQ(gone.at("floor_seq"), Head()) << path;
  }
}

TEST_F(ClusterHistoryTest, AThinnedRunIsNeverAnsweredForAsIfItWereEmpty) {
  std::vector<int> nodes{1, 2, 3, 4, 5};
  for (int last = 6; last <= 20; ++last) {
    nodes.push_back(last);
    Apply(RunOf({nodes}));
  }
  const auto commit_of = [&](int run) {
    return mesh_.Ask("SELECT commit_seq FROM cluster_runs WHERE run_id=" + std::to_string(run));
  };
  mesh_.Run("UPDATE cluster_runs SET pruned_at=1 WHERE run_id IN (2, 3)");
  mesh_.Run("DELETE FROM cluster_members WHERE run_id IN (2, 3)");
  mesh_.Run("DELETE FROM cluster_snapshots WHERE run_id IN (2, 3)");
  const std::string as_of = "as_of=seq:" + std::to_string(commit_of(3));
  for (const std::string path : {"/api/clusters?", "/api/clusters/around-1?", "/api/clusters/report.md?",
                                 "/api/entities/cluster/around-1?"}) {
    const Json gone = GetJson(path + as_of, 410);
    EXPECT_EQ(gone.at("code"), "run_thinned") << path;
    EXPECT_EQ(gone.at("run"), 3) << path;
    EXPECT_EQ(gone.at("kept_before").at("commit_seq"), commit_of(1)) << path;
    EXPECT_EQ(gone.at("kept_after").at("run"), 4) << path;
    EXPECT_THAT(gone.at("detail").get<std::string>(), HasSubstr("ask as_of commit " + Commit(commit_of(1))));
  }
  EXPECT_EQ(GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(2) + "&" + as_of, 410).at("code"),
            "run_thinned");
  GetJson("/api/clusters/around-1/lineage?" + as_of);
  EXPECT_EQ(GetJson("/api/entities/cluster/around-1?members=false&" + as_of).at("state").at("status"),
            "active");
}

TEST_F(ClusterHistoryTest, ABranchShowsItsOwnRunAndMainShowsNothingOfIt) {
  Apply(RunOf({kWest, kEast}));
  const std::string before = Get("/api/clusters").Text();
  const std::int64_t branch = AddBranch("what-if");
  EXPECT_EQ(GetJson("/api/clusters?branch=what-if").at("total"), 2);
  Apply(RunOf({{1, 2, 3}, {4, 5, 6}, kEast}), branch);
  EXPECT_EQ(GetJson("/api/clusters?branch=what-if").at("total"), 3);
  EXPECT_EQ(Get("/api/clusters").Text(), before);
  EXPECT_EQ(GetJson("/api/clusters?branch=what-if&as_of=seq:" + std::to_string(Head())).at("total"), 2);
  EXPECT_THAT(Column(GetJson("/api/cluster-runs?branch=what-if").at("runs"), "branch"),
              ElementsAre("what-if", "main"));
  EXPECT_EQ(GetJson("/api/cluster-runs").at("total"), 1);
  EXPECT_TRUE(GetJson("/api/clusters/around-11?branch=what-if").at("base").is_null());
  const std::string born = GetJson("/api/clusters?branch=what-if&sort=recent").at("clusters").at(0).at("id");
  GetJson("/api/clusters/" + born, 404);
  GetJson("/api/entities/cluster/" + born, 404);
  EXPECT_EQ(GetJson("/api/entities/cluster/" + born + "?branch=what-if").at("history").size(), 1U);
}

TEST_F(ClusterHistoryTest, AClusterIsAnEntityWithItsStatesAndMembers) {
  Apply(RunOf({kWest, kEast}));
  const std::string then = "as_of=" + Commit(Head());
  const std::string id = Listed("Around 1").at("id");
  Correct(R"({"action":"rename","cluster":"around-1","title":"The Bay","reason":""})");
  Correct(R"({"action":"exclude","cluster":"the-bay","members":)" + Members({6}) + R"(,"reason":""})");
  const Json history = GetJson("/api/entities/cluster/" + id);
  EXPECT_EQ(history.at("history").size(), 2U);
  EXPECT_EQ(history.at("history").at(1).at("state").at("slug"), "the-bay");
  EXPECT_THAT(history.at("members"), ElementsAre(Hex(1), Hex(2), Hex(3), Hex(4), Hex(5)));
  const Json past = GetJson("/api/entities/cluster/around-1?" + then);
  EXPECT_EQ(past.at("id"), id);
  EXPECT_EQ(past.at("state").at("title"), "Around 1");
  EXPECT_EQ(past.at("state").at("representative"), Hex(1));
  EXPECT_EQ(past.at("members_total"), 6);
  EXPECT_EQ(past.at("run"), 1);
  for (const std::string name : {"around-1", "the-bay"})
    EXPECT_EQ(GetJson("/api/entities/cluster/" + name).at("id"), id) << name;
  GetJson("/api/entities/cluster/the-bay?" + then, 404);
  GetJson("/api/entities/cluster/nowhere", 404);
  GetJson("/api/entities/cluster_decision/x", 400);
  EXPECT_EQ(GetJson("/api/entities/cluster_alias/around-1").at("history").at(0).at("state").at("cluster"),
            id);
}

TEST_F(ClusterHistoryTest, HiddenNodesAreNotNamedByClusters) {
  config_.node_blacklist = {Hex(1)};
  Apply(RunOf({kWest}));
  Correct(R"({"action":"exclude","cluster":"around-1","members":)" + Members({1}) + R"(,"reason":""})");
  for (const std::string path : {"/api/clusters", "/api/clusters/around-1", "/api/entities/cluster/around-1",
                                 "/api/commits/seq:2", "/api/changes?start=beginning"})
    EXPECT_THAT(Get(path).Text(), ::testing::Not(HasSubstr(Hex(1)))) << path;
}

// The feed and history ------------------------------------------------------------------------------------

using Changed = std::set<std::pair<std::string, std::string>>;

TEST_F(ClusterHistoryTest, ACommitListsWhatTheFeedToldOfIt) {
  for (const Step& step : EventfulLife()) step();
  std::set<std::string> kinds;
  for (std::int64_t seq = 2; seq <= mesh_.Ask("SELECT max(commit_seq) FROM commit_log"); ++seq) {
    Changed in_feed, in_history;
    std::map<std::string, Json> opened;
    SQLite::Statement rows(
        mesh_.database(),
        "SELECT entity_kind, entity_id, payload, kind FROM change_log WHERE commit_seq=? AND "
        "entity_kind NOT IN ('commit', 'cluster_run', 'branch')");
    rows.bind(1, seq);
    while (rows.executeStep()) {
      const std::string kind = rows.getColumn(0).getString(), id = rows.getColumn(1).getString();
      in_feed.insert({kind, id});
      kinds.insert(kind);
      opened[kind + "/" + id] = Json::parse(rows.getColumn(2).getString());
    }
    const Json commit = GetJson("/api/commits/seq:" + std::to_string(seq) + "?limit=1000");
    for (const Json& change : commit.at("changes")) {
      const std::string kind = change.at("entity_kind"), id = change.at("entity_id");
      in_history.insert({kind, id});
      if (!change.at("after").is_null()) {
        EXPECT_EQ(change.at("after"), opened[kind + "/" + id]) << kind << " " << id;
      }
    }
    EXPECT_EQ(in_feed, in_history) << "commit " << seq;
  }
  EXPECT_THAT(kinds, ElementsAre("cluster", "cluster_alias", "cluster_decision", "cluster_override"));
}

TEST_F(ClusterHistoryTest, EveryTableOfIntervalsIsAKindOfEntity) {
  std::set<std::string> tables, known;
  SQLite::Statement rows(mesh_.database(),
                         "SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE "
                         "m.type='table' AND c.name='to_seq'");
  while (rows.executeStep()) tables.insert(rows.getColumn(0).getString());
  for (const EntityKind& kind : EntityKinds()) known.insert(std::string(kind.table));
  EXPECT_EQ(tables, known);
}

}  // namespace
}  // namespace heliograph::server
