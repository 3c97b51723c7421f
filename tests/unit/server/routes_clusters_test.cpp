#include <gmock/gmock.h>

#include "tests/unit/server/clusters_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ClusterRoutesTest : public ClustersTest {};

TEST_F(ClusterRoutesTest, AnEmptyMeshHasNoClusters) {
  const Json answer = GetJson("/api/clusters");
  EXPECT_THAT(answer.at("clusters"), IsEmpty());
  EXPECT_EQ(answer.at("total"), 0);
  EXPECT_TRUE(answer.at("run").is_null());
  EXPECT_THAT(GetJson("/api/cluster-runs").at("runs"), IsEmpty());
  EXPECT_THAT(Get("/api/clusters/report.md").Text(), HasSubstr("no run yet"));
}

TEST_F(ClusterRoutesTest, TheListHasTheLargestFirst) {
  Apply(RunOf({kEast, kWest}, {20}));
  const Json answer = GetJson("/api/clusters");
  EXPECT_THAT(Column(answer.at("clusters"), "title"), ElementsAre("Around 1", "Around 11"));
  const Json& west = answer.at("clusters").at(0);
  EXPECT_EQ(west.at("size"), 6);
  EXPECT_EQ(west.at("slug"), "around-1");
  EXPECT_EQ(west.at("representative").at("name"), "node 1");
  EXPECT_EQ(answer.at("run"), 1);
}

TEST_F(ClusterRoutesTest, PagesConcatenateToTheWhole) {
  std::vector<std::vector<int>> clusters;
  for (int node = 1; node <= 27; node += 3) clusters.push_back({node, node + 1, node + 2});
  Apply(RunOf(clusters));
  for (const std::string sort : {"size", "recent", "changed"}) {
    const auto whole = Column(GetJson("/api/clusters?sort=" + sort).at("clusters"), "id");
    std::vector<std::string> joined;
    std::string cursor;
    do {
      const Json page =
          GetJson("/api/clusters?limit=2&sort=" + sort + (cursor.empty() ? "" : "&cursor=" + cursor));
      for (const auto& id : Column(page.at("clusters"), "id")) joined.push_back(id);
      cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
    } while (!cursor.empty());
    EXPECT_EQ(joined, whole) << sort;
    EXPECT_EQ(whole.size(), 9U);
  }
}

TEST_F(ClusterRoutesTest, FiltersTheList) {
  Apply(RunOf({kWest, kEast}));
  Apply(RunOf({kWest}, kEast));
  EXPECT_THAT(Column(GetJson("/api/clusters?status=dormant").at("clusters"), "title"),
              ElementsAre("Around 11"));
  EXPECT_THAT(Column(GetJson("/api/clusters?q=AROUND-1").at("clusters"), "title"), ElementsAre("Around 1"));
  EXPECT_THAT(GetJson("/api/clusters?min_size=7").at("clusters"), IsEmpty());
  GetJson("/api/clusters?status=lost", 400);
  GetJson("/api/clusters?sort=luck", 400);
  GetJson("/api/clusters?branch=nowhere", 404);
}

TEST_F(ClusterRoutesTest, TheListNamesMembersForThoseWhoAsk) {
  config_.node_blacklist = {Hex(3)};
  Apply(RunOf({kWest, kEast}, {20}));
  Apply(queue::Kind::kOverride, "overrides",
        R"({"action":"exclude","cluster":"around-11","members":[")" + Hex(12) + R"("],"reason":""})");
  Refresh();
  EXPECT_FALSE(GetJson("/api/clusters").at("clusters").at(0).contains("members"));
  const Json clusters = GetJson("/api/clusters?members=true").at("clusters");
  EXPECT_THAT(clusters.at(0).at("members"), ElementsAre(Hex(1), Hex(2), Hex(4), Hex(5), Hex(6)));
  EXPECT_THAT(clusters.at(1).at("members"), ElementsAre(Hex(11), Hex(13), Hex(14)));
  const Json second = GetJson("/api/clusters?members=true&limit=1&cursor=" +
                              GetJson("/api/clusters?limit=1").at("next").get<std::string>());
  EXPECT_EQ(second.at("clusters").at(0).at("members").size(), 3U);
}

TEST_F(ClusterRoutesTest, OneClusterHasMembersDecisionsAndCorrections) {
  Apply(RunOf({kWest, kEast}, {20}));
  const Json cluster = GetJson("/api/clusters/around-11");
  EXPECT_THAT(Column(cluster.at("members"), "key"), ElementsAre(Hex(11), Hex(12), Hex(13), Hex(14)));
  EXPECT_EQ(cluster.at("members").at(0).at("strength"), 0.89);
  EXPECT_EQ(cluster.at("members").at(0).at("name"), "node 11");
  EXPECT_EQ(cluster.at("decisions").at(0).at("class"), "birth");
  EXPECT_THAT(cluster.at("overrides"), IsEmpty());
  EXPECT_EQ(cluster.at("base"), 2);
  EXPECT_EQ(GetJson("/api/clusters/" + cluster.at("id").get<std::string>()).at("slug"), "around-11");
  GetJson("/api/clusters/nowhere", 404);
}

TEST_F(ClusterRoutesTest, MembersArePaged) {
  Apply(RunOf({kWest}));
  const Json page = GetJson("/api/clusters/around-1?limit=2&offset=4");
  EXPECT_THAT(Column(page.at("members"), "key"), ElementsAre(Hex(5), Hex(6)));
  EXPECT_EQ(page.at("members_total"), 6);
}

TEST_F(ClusterRoutesTest, AMergedClusterRedirectsForATimeAndThenForEver) {
  Apply(RunOf({kWest, kEast}));
  std::vector<int> whole = kWest;
  whole.insert(whole.end(), kEast.begin(), kEast.end());
  Apply(RunOf({whole}));
  const std::string target = "/api/clusters/" + Listed("Around 1").at("id").get<std::string>();
  const Response tentative = Get("/api/clusters/around-11");
  EXPECT_EQ(tentative.status, 307);
  EXPECT_EQ(*tentative.FindHeader("Location"), target);
  Apply(RunOf({whole}));
  EXPECT_EQ(Get("/api/clusters/around-11").status, 308);
  EXPECT_THAT(GetJson(target).at("aliases").dump(),
              HasSubstr(Listed("Around 11").at("id").get<std::string>()));
}

TEST_F(ClusterRoutesTest, TheLineageTellsWhatHappenedAndWhy) {
  Apply(RunOf({kWest, kEast}));
  std::vector<int> whole = kWest;
  whole.insert(whole.end(), kEast.begin(), kEast.end());
  Apply(RunOf({whole}));
  const Json lineage = GetJson("/api/clusters/around-1/lineage");
  EXPECT_EQ(lineage.at("decisions").at(0).at("outcome"), "dissolved");
  const Json& merge = lineage.at("decisions").at(1);
  EXPECT_EQ(merge.at("class"), "merge");
  EXPECT_EQ(merge.at("state"), "tentative");
  EXPECT_THAT(merge.at("reason").get<std::string>(), HasSubstr("a merge"));
  EXPECT_EQ(merge.at("others").at(0).at("title"), "Around 11");
  EXPECT_THAT(Column(GetJson("/api/clusters/around-1/lineage?tentative=false").at("decisions"), "class"),
              ElementsAre("birth"));
  EXPECT_THAT(Column(GetJson("/api/clusters/around-11/lineage").at("decisions"), "outcome"),
              ElementsAre("dissolved", "updated", "new"));
}

TEST_F(ClusterRoutesTest, TheLineageOfAllTellsTheNewestFirst) {
  EXPECT_THAT(GetJson("/api/clusters/lineage").at("decisions"), IsEmpty());
  Apply(RunOf({kWest, kEast}));
  Apply(RunOf({kWest, kEast}, {20}));
  std::vector<int> whole = kWest;
  whole.insert(whole.end(), kEast.begin(), kEast.end());
  Apply(RunOf({whole}));
  const Json decisions = GetJson("/api/clusters/lineage").at("decisions");
  EXPECT_THAT(Column(decisions, "outcome"), ElementsAre("dissolved", "updated", "new", "new"));
  EXPECT_EQ(decisions.at(0).at("title"), "Around 11");
  EXPECT_EQ(decisions.at(1).at("title"), "Around 1");
  const Json page = GetJson("/api/clusters/lineage?limit=3");
  EXPECT_EQ(page.at("decisions").size(), 3U);
  EXPECT_THAT(
      Column(GetJson("/api/clusters/lineage?cursor=" + page.at("next").get<std::string>()).at("decisions"),
             "outcome"),
      ElementsAre("new"));
  EXPECT_EQ(GetJson("/api/clusters/lineage?as_of=seq:2").at("decisions").size(), 2U);
  EXPECT_EQ(GetJson("/api/clusters/lineage?tentative=false").at("decisions").size(), 2U);
  EXPECT_EQ(GetJson("/api/clusters/lineage?continuations=true").at("decisions").size(), 6U);
  EXPECT_THAT(GetJson("/api/clusters/lineage?collection=items").at("decisions"), IsEmpty());
  GetJson("/api/clusters/lineage?cursor=x", 400);
}

TEST_F(ClusterRoutesTest, ExplainsWhyTwoAreTogetherOrNot) {
  Apply(RunOf({kWest, kEast}, {20}));
  const Json together = GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(2));
  EXPECT_EQ(together.at("together"), true);
  EXPECT_EQ(together.at("runs_together"), 1);
  EXPECT_THAT(together.at("words").get<std::string>(), HasSubstr("Both are in Around 1"));
  const Json apart = GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(11));
  EXPECT_EQ(apart.at("together"), false);
  EXPECT_TRUE(GetJson("/api/clusters/explain?a=" + Hex(1) + "&b=" + Hex(20)).at("b").at("cluster").is_null());
  EXPECT_EQ(GetJson("/api/clusters/explain?decision=1").at("decision").at("class"), "birth");
  GetJson("/api/clusters/explain?decision=99", 404);
  GetJson("/api/clusters/explain?a=" + Hex(1), 400);
}

TEST_F(ClusterRoutesTest, RunsAreListedShownAndCompared) {
  Apply(RunOf({kWest, kEast}));
  Apply(RunOf({{1, 2, 3, 4, 5}, {6, 11, 12, 13, 14}}, {15}));
  const Json runs = GetJson("/api/cluster-runs");
  EXPECT_EQ(runs.at("total"), 2);
  EXPECT_EQ(runs.at("runs").at(0).at("id"), 2);
  EXPECT_EQ(runs.at("runs").at(0).at("active"), true);
  EXPECT_EQ(GetJson("/api/cluster-runs/2?continuations=true").at("decisions").size(), 2U);
  const Json difference = GetJson("/api/cluster-runs/1/diff/2");
  EXPECT_EQ(difference.at("moved"), 1);
  EXPECT_EQ(difference.at("members").at(0).at("key"), Hex(6));
  EXPECT_EQ(difference.at("members").at(0).at("from"), Listed("Around 1").at("id"));
  GetJson("/api/cluster-runs/9", 404);
  GetJson("/api/cluster-runs/x", 400);
}

TEST_F(ClusterRoutesTest, ThePastIsShownAsItWas) {
  Apply(RunOf({kWest, kEast}));
  Apply(RunOf({{1, 2, 3}}, {4, 5, 6, 11, 12, 13, 14}));
  EXPECT_EQ(GetJson("/api/clusters").at("total"), 1);
  const Json past = GetJson("/api/clusters?as_of=seq:2");
  EXPECT_EQ(past.at("total"), 2);
  EXPECT_EQ(past.at("clusters").at(0).at("size"), 6);
  EXPECT_EQ(GetJson("/api/clusters/around-11?as_of=seq:2").at("status"), "active");
}

TEST_F(ClusterRoutesTest, ANodeNamesItsCluster) {
  Apply(RunOf({kWest}, {20}));
  EXPECT_EQ(GetJson("/api/nodes/" + Hex(2)).at("cluster").at("slug"), "around-1");
  EXPECT_TRUE(GetJson("/api/nodes/" + Hex(20)).at("cluster").is_null());
}

TEST_F(ClusterRoutesTest, ACorrectionIsQueuedAppliedAndShown) {
  Apply(RunOf({kWest, kEast}));
  const Json answer = PostJson("/api/clusters/around-1/exclude",
                               R"({"members":[")" + Hex(6) + R"("],"reason":"a guest","actor":"Ann"})", 202);
  EXPECT_EQ(answer.at("action"), "exclude");
  ASSERT_EQ(queue_.published.size(), 1U);
  EXPECT_EQ(queue_.published[0].actor, "http:Ann");
  ApplyPosted();
  const Json cluster = GetJson("/api/clusters/around-1");
  EXPECT_EQ(cluster.at("size"), 5);
  EXPECT_EQ(cluster.at("members_total"), 5);
  EXPECT_EQ(cluster.at("overrides").at(0).at("reason"), "a guest");
  EXPECT_TRUE(GetJson("/api/nodes/" + Hex(6)).at("cluster").is_null());
}

TEST_F(ClusterRoutesTest, EveryCorrectionChangesWhatIsShownAtOnce) {
  Apply(RunOf({kWest, kEast}, {20}));
  PostJson("/api/clusters/around-1/rename", R"({"title":"The Bay"})", 202);
  ApplyPosted();
  PostJson("/api/clusters/the-bay/include", R"({"members":[")" + Hex(20) + R"("]})", 202);
  ApplyPosted();
  PostJson("/api/clusters/the-bay/split",
           R"({"title":"South","members":[")" + Hex(5) + "\",\"" + Hex(6) + R"("]})", 202);
  ApplyPosted();
  PostJson("/api/clusters/the-bay/merge", R"({"other":"around-11"})", 202);
  ApplyPosted();
  EXPECT_EQ(Listed("The Bay").at("size"), 4 + 1 + 4);
  EXPECT_EQ(Listed("South").at("size"), 2);
  EXPECT_EQ(GetJson("/api/clusters/around-1").at("title"), "The Bay");
  EXPECT_EQ(GetJson("/api/clusters/the-bay").at("members").at(0).at("state"), "included");
  PostJson("/api/clusters/south/close", "", 202);
  ApplyPosted();
  EXPECT_EQ(Listed("South").at("status"), "closed");
}

TEST_F(ClusterRoutesTest, ACorrectionOfAnOldStateIsAConflict) {
  Apply(RunOf({kWest, kEast}));
  const std::int64_t base = GetJson("/api/clusters/around-1").at("base");
  PostJson("/api/clusters/around-1/close", "", 202);
  ApplyPosted();
  const std::string body = R"({"base":)" + std::to_string(base) + "}";
  PostJson("/api/clusters/around-1/reopen", body, 409);
  PostJson("/api/clusters/around-11/close", body, 202);
}

TEST_F(ClusterRoutesTest, OfTwoCorrectionsThatRaceTheFirstIsCarriedOut) {
  Apply(RunOf({kWest, kEast}));
  const std::string body =
      R"({"base":)" + std::to_string(GetJson("/api/clusters/around-1").at("base").get<std::int64_t>()) + "}";
  // Both are accepted, for neither is carried out yet.
  PostJson("/api/clusters/around-1/close", body, 202);
  PostJson("/api/clusters/around-1/merge", R"({"other":"around-11",)" + body.substr(1), 202);
  ApplyPosted();
  EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM ledger WHERE kind='override' AND outcome='applied'"), 1);
  EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM ledger WHERE kind='override' AND outcome='conflict'"), 1);
  EXPECT_EQ(Listed("Around 1").at("status"), "closed");
  EXPECT_EQ(Listed("Around 11").at("status"), "active");
}

TEST_F(ClusterRoutesTest, AClosedClusterThatGainsMembersStaysClosedAndSaysSo) {
  Apply(RunOf({kWest, kEast}));
  EXPECT_TRUE(Listed("Around 1").at("newcomers_since_closed").is_null());
  PostJson("/api/clusters/around-1/close", "", 202);
  ApplyPosted();
  EXPECT_EQ(Listed("Around 1").at("newcomers_since_closed"), 0);
  Apply(RunOf({{1, 2, 3, 4, 5, 6, 7, 8}, kEast}));
  EXPECT_EQ(Listed("Around 1").at("status"), "closed");
  EXPECT_EQ(Listed("Around 1").at("size"), 8);
  EXPECT_EQ(Listed("Around 1").at("newcomers_since_closed"), 2);
}

TEST_F(ClusterRoutesTest, WhatIsSaidOfAMergedClusterHoldsForTheWhole) {
  Apply(RunOf({kWest, kEast}));
  PostJson("/api/clusters/around-1/merge", R"({"other":"around-11"})", 202);
  ApplyPosted();
  PostJson("/api/clusters/around-1/exclude", R"({"members":[")" + Hex(12) + R"("]})", 202);
  ApplyPosted();
  EXPECT_EQ(Listed("Around 1").at("size"), 9);
  EXPECT_TRUE(GetJson("/api/nodes/" + Hex(12)).at("cluster").is_null());
  std::vector<int> whole = kWest;
  whole.insert(whole.end(), kEast.begin(), kEast.end());
  Apply(RunOf({whole}));
  const Json cluster = GetJson("/api/clusters/around-1");
  EXPECT_EQ(cluster.at("size"), 9);
  EXPECT_EQ(cluster.at("status"), "active");
  EXPECT_THAT(Column(cluster.at("overrides"), "action"), ElementsAre("exclude", "merge"));
  EXPECT_EQ(*Get("/api/clusters/around-11").FindHeader("Location"),
            "/api/clusters/" + cluster.at("id").get<std::string>());
}

TEST_F(ClusterRoutesTest, ACorrectionCanBeUndone) {
  Apply(RunOf({kWest}));
  const std::string id =
      Apply(queue::Kind::kOverride, "overrides", R"({"action":"close","cluster":"around-1","reason":""})");
  Refresh();
  EXPECT_EQ(Listed("Around 1").at("status"), "closed");
  PostJson("/api/clusters/undo/" + id, "", 202);
  ApplyPosted();
  EXPECT_EQ(Listed("Around 1").at("status"), "active");
  PostJson("/api/clusters/undo/" + Ulid::Generate(At(0)).ToText(), "", 404);
  PostJson("/api/clusters/undo/it", "", 400);
}

TEST_F(ClusterRoutesTest, RefusesACorrectionThatMakesNoSense) {
  Apply(RunOf({kWest}));
  PostJson("/api/clusters/around-1/rename", "{}", 400);
  PostJson("/api/clusters/around-1/rename", R"({"title":7})", 400);
  PostJson("/api/clusters/around-1/close", R"({"title":"x"})", 400);
  PostJson("/api/clusters/around-1/close", R"({"base":"new"})", 400);
  PostJson("/api/clusters/nowhere/close", "", 404);
  EXPECT_EQ(Post("/api/clusters/around-1/close", "", "").status, 401);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(ClusterRoutesTest, RefusesAnActorThatIsNotOnePrintableLine) {
  Apply(RunOf({kWest}));
  for (const char* actor : {R"(a\nb)", R"(a\u0000b)", R"(a\u007f)"})
    PostJson("/api/clusters/around-1/close", std::string(R"({"actor":")") + actor + R"("})", 400);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(ClusterRoutesTest, TheReportNamesClustersAndEvents) {
  auto run = RunOf({kWest, kEast});
  run.clusters[1].label = "<b>*East*</b>";
  Apply(run);
  const Response report = Get("/api/clusters/report.md");
  EXPECT_EQ(report.content_type, "text/markdown; charset=utf-8");
  EXPECT_THAT(report.Text(), HasSubstr("| Around 1 | 6 | active | node 1, node 2"));
  EXPECT_THAT(report.Text(), HasSubstr("&lt;b\\>\\*East\\*"));
}

TEST_F(ClusterRoutesTest, AThinnedRunIsGoneForThoseWhoAskForItsMembers) {
  for (int last = 6; last <= 20; ++last) {
    std::vector<int> nodes;
    for (int node = 1; node <= last; ++node) nodes.push_back(node);
    Apply(RunOf({nodes}));
  }
  mesh_.Run("UPDATE cluster_runs SET pruned_at=1 WHERE run_id=2");
  GetJson("/api/clusters?as_of=seq:3", 410);
  GetJson("/api/cluster-runs/2/diff/3", 410);
  EXPECT_EQ(GetJson("/api/cluster-runs/2").at("pruned"), true);
}

TEST_F(ClusterRoutesTest, WithoutSomebodyWhoComputesThereAreNoJobs) {
  PostJson("/api/cluster-jobs", "{}", 503);
  EXPECT_THAT(GetJson("/api/cluster-jobs").at("jobs"), IsEmpty());
}

}  // namespace
}  // namespace heliograph::server
