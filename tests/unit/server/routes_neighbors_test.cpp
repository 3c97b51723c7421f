#include <gmock/gmock.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// Hill - Dale - Moor in a row, and Ear, an observer that is no node, beside Moor.
class NeighborRoutesTest : public RoutesTest {
 protected:
  NeighborRoutesTest() {
    Add(kHill, "Hill", 50.0);
    Add(kDale, "Dale", 50.1);
    Add(kMoor, "Moor", std::nullopt);
    mesh_.AddObserver(kEar, "SFO");
    graph_.data_time = At(0);
    graph_.too_far = 4;
    graph_.edges = {Edge(kHill, kDale, 80, 20), Edge(kDale, kMoor, 12, 0), Edge(kMoor, kEar, 40, 0),
                    Edge(kHill, kMoor, 0.6, 0)};
    std::sort(graph_.edges.begin(), graph_.edges.end(),
              [](const auto& x, const auto& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
  }

  void Add(const PublicKey& key, const std::string& name, std::optional<double> latitude) {
    const std::string number = std::to_string(mesh_.AddNode(key));
    mesh_.Run("UPDATE nodes SET name = '" + name + "' WHERE node_key = " + number);
    if (latitude)
      mesh_.Run("UPDATE nodes SET lat = " + std::to_string(*latitude) +
                ", lon = 10 WHERE node_key = " + number);
  }
  static NeighborEdge Edge(const PublicKey& a, const PublicKey& b, double there, double back) {
    return {a, b, there, back, At(-1000), At(0), 3, 2.5};
  }
  void Show() { neighbors_.Show(MakeNeighborView(graph_, false, {}).value()); }

  const PublicKey kHill = KeyOf({0x10}), kDale = KeyOf({0x20}), kMoor = KeyOf({0x30}), kEar = KeyOf({0x40});
  NeighborGraph graph_;
};

TEST_F(NeighborRoutesTest, TheGraphHasTheMembersThatCoreScopesClientsRead) {
  Show();
  const Json answer = GetJson("/api/analytics/neighbor-graph");
  EXPECT_THAT(Column(answer.at("nodes"), "pubkey"),
              ElementsAre(kHill.ToHex(), kDale.ToHex(), kMoor.ToHex(), kEar.ToHex()));
  EXPECT_THAT(Column(answer.at("nodes"), "role"),
              ElementsAre("repeater", "repeater", "repeater", "observer"));
  EXPECT_EQ(answer.at("nodes").at(2).at("neighbor_count"), 2);
  const Json& edge = answer.at("edges").at(0);
  EXPECT_EQ(edge.at("source"), kHill.ToHex());
  EXPECT_EQ(edge.at("target"), kDale.ToHex());
  EXPECT_EQ(edge.at("weight"), 100);
  EXPECT_EQ(edge.at("score"), 1);
  EXPECT_EQ(edge.at("bidirectional"), true);
  EXPECT_EQ(edge.at("avg_snr"), 2.5);
  EXPECT_EQ(edge.at("ambiguous"), false);
  EXPECT_NEAR(edge.at("distance_km").get<double>(), 11.1, 0.1);
  const Json& stats = answer.at("stats");
  EXPECT_EQ(stats.at("total_nodes"), 4);
  EXPECT_EQ(stats.at("total_edges"), 3);
  EXPECT_EQ(stats.at("ambiguous_edges"), 0);
  EXPECT_EQ(stats.at("avg_cluster_size"), 1.5);
  EXPECT_EQ(stats.at("rejected_edges_geo_far"), 4);
}

TEST_F(NeighborRoutesTest, TheGraphIsFilteredAndBounded) {
  Show();
  EXPECT_EQ(GetJson("/api/analytics/neighbor-graph?min_count=0&min_score=0").at("edges").size(), 4U);
  EXPECT_EQ(GetJson("/api/analytics/neighbor-graph?min_score=0.2").at("edges").size(), 2U);
  EXPECT_EQ(GetJson("/api/analytics/neighbor-graph?role=observer").at("edges").size(), 1U);
  EXPECT_THAT(GetJson("/api/analytics/neighbor-graph?region=NOWHERE").at("edges"), IsEmpty());
  const Json one = GetJson("/api/analytics/neighbor-graph?limit=1");
  EXPECT_EQ(one.at("edges").size(), 1U);
  EXPECT_EQ(one.at("nodes").size(), 2U);
  EXPECT_EQ(one.at("stats").at("truncated"), true);
  GetJson("/api/analytics/neighbor-graph?min_score=2", 400);
}

TEST_F(NeighborRoutesTest, HiddenNodesHaveNoEdges) {
  config_.node_blacklist = {kDale.ToHex()};
  Show();
  EXPECT_THAT(Column(GetJson("/api/analytics/neighbor-graph").at("edges"), "source"),
              ElementsAre(kMoor.ToHex()));
  GetJson("/api/nodes/" + kDale.ToHex() + "/neighbors", 404);
  EXPECT_THAT(GetJson("/api/nodes/" + kHill.ToHex() + "/neighbors").at("neighbors"), IsEmpty());
  EXPECT_THAT(Column(GetJson("/api/analytics/topology/critical").at("nodes"), "name"),
              UnorderedElementsAre("Hill", "Moor", "null"));
}

TEST_F(NeighborRoutesTest, AnAnswerIsUnchangedUntilTheGraphIs) {
  Show();
  for (const std::string target : {"/api/analytics/neighbor-graph", "/api/analytics/topology/critical"}) {
    const std::string etag = *Get(target).FindHeader("ETag");
    EXPECT_EQ(Get(target, etag).status, 304);
    graph_.edges[0].a_to_b += 1;
    Show();
    EXPECT_EQ(Get(target, etag).status, 200);
  }
}

TEST_F(NeighborRoutesTest, ANodesNeighborsHaveTheMembersThatCoreScopesClientsRead) {
  Show();
  const Json answer = GetJson("/api/nodes/" + kDale.ToHex() + "/neighbors");
  EXPECT_EQ(answer.at("node"), kDale.ToHex());
  EXPECT_THAT(Column(answer.at("neighbors"), "name"), ElementsAre("Hill", "Moor"));
  const Json& hill = answer.at("neighbors").at(0);
  EXPECT_EQ(hill.at("pubkey"), kHill.ToHex());
  EXPECT_EQ(hill.at("prefix"), "10");
  EXPECT_EQ(hill.at("count"), 100);
  EXPECT_EQ(hill.at("we_hear"), 80);
  EXPECT_EQ(hill.at("they_hear"), 20);
  EXPECT_EQ(hill.at("first_seen"), FormatTime(At(-1000)));
  EXPECT_EQ(hill.at("ambiguous"), false);
  EXPECT_THAT(hill.at("observers"), IsEmpty());
  EXPECT_TRUE(answer.at("neighbors").at(1).at("distance_km").is_null());
  EXPECT_EQ(answer.at("total_observations"), 112);
}

TEST_F(NeighborRoutesTest, ANeighborNamesTheObserversThatShowedIt) {
  const PublicKey hidden = KeyOf({0x50});
  mesh_.AddObserver(hidden, "SFO");
  config_.observer_blacklist = {hidden.ToObserverId()};
  graph_.observers.assign(graph_.edges.size(), {kEar, hidden});
  Show();
  const Json answer = GetJson("/api/nodes/" + kHill.ToHex() + "/neighbors");
  EXPECT_EQ(answer.at("neighbors").at(0).at("observers"), Json::array({kEar.ToObserverId()}));
}

TEST_F(NeighborRoutesTest, AmbiguousNeighborsAreShownOnRequest) {
  Show();
  const std::string target = "/api/nodes/" + kHill.ToHex() + "/neighbors";
  EXPECT_THAT(Column(GetJson(target).at("neighbors"), "name"), ElementsAre("Dale"));
  const Json answer = GetJson(target + "?include_ambiguous=true&limit=9");
  EXPECT_THAT(Column(answer.at("neighbors"), "name"), ElementsAre("Dale", "Moor"));
  EXPECT_EQ(answer.at("neighbors").at(1).at("ambiguous"), true);
  EXPECT_EQ(answer.at("neighbors").at(1).at("count"), 1);
}

TEST_F(NeighborRoutesTest, AnObserverThatIsNoNodeHasNeighborsToo) {
  Show();
  EXPECT_THAT(Column(GetJson("/api/nodes/" + kEar.ToHex() + "/neighbors").at("neighbors"), "name"),
              ElementsAre("Moor"));
  GetJson("/api/nodes/" + KeyOf({0x77}).ToHex() + "/neighbors", 404);
  GetJson("/api/nodes/xyz/neighbors", 400);
}

TEST_F(NeighborRoutesTest, CriticalPartsAreOrderedAndPaged) {
  Show();
  const Json answer = GetJson("/api/analytics/topology/critical?sort=cut_off");
  EXPECT_THAT(Column(answer.at("nodes"), "name"), ElementsAre("Dale", "Moor", "Hill", "null"));
  const Json& dale = answer.at("nodes").at(0);
  EXPECT_EQ(dale.at("is_cut_vertex"), true);
  EXPECT_EQ(dale.at("cut_off"), 1);
  EXPECT_EQ(dale.at("pairs_lost"), 2);
  EXPECT_NEAR(dale.at("betweenness").get<double>(), 2.0 / 3, 1e-6);
  EXPECT_EQ(answer.at("total"), 4);
  EXPECT_EQ(answer.at("edges").at(0).at("is_bridge"), true);
  EXPECT_EQ(answer.at("edges").at(0).at("cut_off"), 2);
  EXPECT_EQ(answer.at("edges").at(0).at("source_name"), "Dale");
  EXPECT_EQ(answer.at("summary").at("bridges"), 3);
  EXPECT_EQ(answer.at("components"), Json::parse(R"([{"id":0,"size":4}])"));
  const Json page = GetJson("/api/analytics/topology/critical?sort=cut_off&limit=1&offset=1");
  EXPECT_THAT(Column(page.at("nodes"), "name"), ElementsAre("Moor"));
  GetJson("/api/analytics/topology/critical?sort=size", 400);
}

TEST_F(NeighborRoutesTest, SaysThatTheGraphIsNotThereYet) {
  GetJson("/api/analytics/neighbor-graph", 503);
  GetJson("/api/analytics/topology/critical", 503);
}

}  // namespace
}  // namespace heliograph::server
