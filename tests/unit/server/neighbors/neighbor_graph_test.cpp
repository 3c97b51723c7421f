#include "server/analytics/neighbors/neighbor_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr IdentityKey kHill{1}, kDale{2}, kMoor{3}, kEar{4};

/// Four stations; floods from Hill over Dale, whose last hop an observer hears.
class NeighborGraphTest : public ::testing::Test {
 protected:
  NeighborGraphTest() {
    for (const auto& [number, first] : {std::pair(kHill, 0x44), {kDale, 0x33}, {kMoor, 0x22}, {kEar, 0x11}})
      stations_.Put(number, Repeater(KeyThatBegins({static_cast<std::uint8_t>(first)})));
  }

  /// A flood of Hill that these relayed one after the other, and that the observer heard.
  void Hear(std::vector<HopCandidate> relays, std::optional<float> snr_db = std::nullopt) {
    FloodMaker maker(1, ++transmissions_);
    std::vector<std::vector<std::uint8_t>> hops;
    ResolvedSteps steps;
    for (const HopCandidate& relay : relays) {
      hops.push_back({static_cast<std::uint8_t>(relay.node)});
      steps.Add(relay);
      steps.EndStep();
    }
    maker.From(kHill).Path(hops, kEar);
    Flood flood = maker.flood();
    flood.hearings.back().snr_db = snr_db;
    evidence_.Add(flood, steps);
  }
  NeighborGraph Collect(NeighborRules rules = {}) {
    return CollectNeighbors(evidence_, stations_, AtSecond(transmissions_), rules);
  }
  void Place(IdentityKey node, double latitude) {
    Station station = *stations_.Find(node);
    station.position = GeoPoint{latitude, 10};
    stations_.Put(node, station);
  }

  StationDirectory stations_;
  RelayEvidence evidence_;
  std::int64_t transmissions_ = 0;
};

NeighborEdge Edge(double count, std::uint32_t observers = 3, std::optional<double> snr_db = 5.0) {
  return {KeyThatBegins({1}), KeyThatBegins({2}), count, 0, AtSecond(0), AtSecond(0), observers, snr_db};
}

TEST_F(NeighborGraphTest, JoinsOriginFirstHopAndObserver) {
  Hear({{kDale, 1}, {kMoor, 1}});
  const NeighborGraph graph = Collect();
  std::vector<std::pair<std::uint8_t, std::uint8_t>> ends;
  for (const NeighborEdge& edge : graph.edges) ends.emplace_back(edge.a.bytes()[0], edge.b.bytes()[0]);
  using Ends = std::pair<std::uint8_t, std::uint8_t>;
  EXPECT_THAT(ends, ElementsAre(Ends(0x11, 0x22), Ends(0x22, 0x33), Ends(0x33, 0x44)));
}

TEST_F(NeighborGraphTest, KeepsTheDirectionsApartInTheOrderOfTheKeys) {
  Hear({{kDale, 1}});
  Hear({{kDale, 1}});
  const NeighborEdge edge = Collect().edges.back();  // Dale (0x33) heard Hill (0x44)
  EXPECT_EQ(edge.a_to_b, 0);
  EXPECT_EQ(edge.b_to_a, 2);
  EXPECT_EQ(edge.first_seen, AtSecond(1));
  EXPECT_EQ(edge.last_seen, AtSecond(2));
  EXPECT_EQ(edge.observers, 1U);
}

TEST_F(NeighborGraphTest, NamesTheObserversOfEachEdge) {
  Hear({{kDale, 1}, {kMoor, 1}});
  const NeighborGraph graph = Collect();
  ASSERT_THAT(graph.observers, SizeIs(graph.edges.size()));
  for (const auto& observers : graph.observers)
    EXPECT_THAT(observers, ElementsAre(stations_.Find(kEar)->public_key));
}

TEST_F(NeighborGraphTest, CountsByTheProbabilityOfTheHop) {
  Hear({{kDale, 0.75F}});
  EXPECT_EQ(Collect().edges.back().b_to_a, 0.75);
}

TEST_F(NeighborGraphTest, LeavesOutWhatProbablyNeverWas) {
  Hear({{kDale, 0.3F}});
  EXPECT_THAT(Collect().edges, IsEmpty());
  Hear({{kDale, 0.3F}});
  EXPECT_THAT(Collect().edges, SizeIs(2));
}

TEST_F(NeighborGraphTest, LeavesOutWaysThatNoRadioHas) {
  Place(kHill, 50);
  Place(kDale, 55);
  Hear({{kDale, 1}});
  EXPECT_THAT(Collect().edges, SizeIs(1));
  EXPECT_EQ(Collect().too_far, 1U);
  EXPECT_THAT(Collect({.max_distance_km = 600}).edges, SizeIs(2));
}

TEST_F(NeighborGraphTest, APairThatIsTooFarIsOneHoweverManyWaysItWasHeard) {
  Place(kHill, 50);
  Place(kDale, 55);
  Hear({{kDale, 1}});
  Hear({{kDale, 1}, {kHill, 1}});
  EXPECT_EQ(Collect().too_far, 1U);
}

TEST_F(NeighborGraphTest, LeavesOutWhatHasNotBeenHeardForLong) {
  Hear({{kDale, 1}});
  transmissions_ += 6 * 86'400;
  EXPECT_THAT(Collect().edges, IsEmpty());
  EXPECT_THAT(Collect({.max_age = std::chrono::hours(7 * 24)}).edges, SizeIs(2));
}

TEST_F(NeighborGraphTest, KnowsTheSnrThatTheObserverTold) {
  Hear({{kDale, 1}}, 4.0F);
  Hear({{kDale, 1}}, -1.0F);
  EXPECT_EQ(Collect().edges.front().snr_db, 1.5);
  EXPECT_EQ(Collect().edges.back().snr_db, std::nullopt);
}

TEST(NeighborWeight, GrowsWithTheCountUpToAHundred) {
  EXPECT_DOUBLE_EQ(ScoreOf(Edge(50), AtSecond(0)), 0.5);
  EXPECT_DOUBLE_EQ(ScoreOf(Edge(400), AtSecond(0)), 1);
}

TEST(NeighborWeight, IsHalvedByEveryWeek) {
  EXPECT_DOUBLE_EQ(ScoreOf(Edge(100), AtSecond(14 * 86'400)), 0.25);
  EXPECT_GT(WeightOf(Edge(1), AtSecond(100LL * 365 * 86'400)), 0);
}

TEST(NeighborWeight, IsLessWhereFewSawItOrItIsHeardBadly) {
  const auto weight = [](std::uint32_t observers, std::optional<double> snr_db) {
    return WeightOf(Edge(100, observers, snr_db), AtSecond(0));
  };
  EXPECT_DOUBLE_EQ(weight(3, 5.0), 1);
  EXPECT_DOUBLE_EQ(weight(9, 5.0), 1);
  EXPECT_DOUBLE_EQ(weight(1, 5.0), 1.0 / 3);
  EXPECT_DOUBLE_EQ(weight(3, -15.0), 0.5);
  EXPECT_DOUBLE_EQ(weight(3, -30.0), 0.5);
  EXPECT_DOUBLE_EQ(weight(3, std::nullopt), 0.75);
}

TEST(NeighborItems, AreTheKeysOfTheFirmEdges) {
  NeighborGraph graph;
  graph.edges = {Edge(2), Edge(50)};
  graph.edges[0].b = KeyThatBegins({9});
  EXPECT_THAT(AsItemGraph(graph).keys(), SizeIs(3));
  const ItemGraph firm = AsItemGraph(graph, 3);
  EXPECT_THAT(firm.keys(), ElementsAre(KeyThatBegins({1}).ToHex(), KeyThatBegins({2}).ToHex()));
  EXPECT_THAT(firm.edges(), ElementsAre(WeightedEdge{0, 1, 0.5}));
}

TEST(NeighborStorage, OnlyWhatMattersIsStoredAnew) {
  const NeighborEdge stored = Edge(100);
  NeighborEdge more = stored;
  more.a_to_b = 109;
  more.last_seen += std::chrono::minutes(59);
  more.snr_db = 5.9;
  EXPECT_FALSE(DiffersForStorage(stored, more));
  for (const auto& change : std::vector<std::function<void(NeighborEdge&)>>{
           [](NeighborEdge& edge) { edge.a_to_b = 111; }, [](NeighborEdge& edge) { edge.b_to_a = 0.6; },
           [](NeighborEdge& edge) { edge.observers = 4; }, [](NeighborEdge& edge) { edge.snr_db.reset(); },
           [](NeighborEdge& edge) { edge.snr_db = 3; },
           [](NeighborEdge& edge) { edge.last_seen += std::chrono::hours(1); }}) {
    NeighborEdge changed = stored;
    change(changed);
    EXPECT_TRUE(DiffersForStorage(stored, changed));
  }
}

TEST(NeighborStorage, KeepsWhatIsStoredWhereItIsAsGood) {
  NeighborEdge kept = Edge(100), changed = Edge(100), gone = Edge(100), fresh = Edge(7);
  changed.b = KeyThatBegins({3});
  gone.b = KeyThatBegins({4});
  fresh.b = KeyThatBegins({5});
  NeighborEdge kept_now = kept, changed_now = changed;
  kept_now.a_to_b = 101;
  changed_now.a_to_b = 150;
  const NeighborSnapshot merged = MergeForStorage({kept, changed, gone}, {kept_now, changed_now, fresh});
  EXPECT_THAT(merged.edges, ElementsAre(kept, changed_now, fresh));
}

}  // namespace
}  // namespace heliograph::server
