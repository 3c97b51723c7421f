#include "tests/meshsim/life.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/meshsim/small_capture.h"

namespace heliograph::meshsim {
namespace {

using Json = nlohmann::ordered_json;

/// Ten quiet days in two regions, in which much happens to the nodes.
Options EventfulOptions() {
  Options options = SmallOptions();
  options.messages.reset();
  options.days = 10;
  options.packets_per_node_day = 8;
  options.observers = 6;
  options.births_per_day = 0.05;
  options.deaths_per_day = 0.03;
  options.absences_per_day = 0.05;
  options.moves_per_day = 0.05;
  options.mode_changes_per_day = 0.05;
  options.bridge_failures_per_day = 0.5;
  options.community_changes = 2;
  options.observer_outages_per_day = 1;
  return options;
}

const SmallCapture& EventfulCapture() {
  static const SmallCapture capture = Generate(EventfulOptions());
  return capture;
}

/// Eight quiet days in which one town after the other changes as a whole, and nobody moves or dies otherwise.
const SmallCapture& ResettledCapture() {
  static const SmallCapture capture = [] {
    Options options = SmallOptions();
    options.nodes = 160;
    options.messages.reset();
    options.days = 8;
    options.packets_per_node_day = 1;
    options.observers = 3;
    options.births_per_day = options.deaths_per_day = options.moves_per_day = 0;
    options.resettlements = 4;
    options.town_spacing_km = 20;
    return Generate(options);
  }();
  return capture;
}

std::vector<Json> EventsOf(const Json& truth, const std::string& kind) {
  std::vector<Json> found;
  for (const Json& event : truth.at("events")) {
    if (event.at("kind") == kind) found.push_back(event);
  }
  return found;
}

Json NodeOf(const Json& truth, const Json& key) {
  for (const Json& node : truth.at("nodes")) {
    if (node.at("public_key") == key) return node;
  }
  ADD_FAILURE() << "no node " << key;
  return {};
}

TEST(MeshLife, EachKindOfEventHappensInTheOrderOfTime) {
  std::set<std::string> kinds;
  std::string last;
  for (const Json& event : EventfulCapture().truth.at("events")) {
    kinds.insert(event.at("kind").get<std::string>());
    EXPECT_LE(last, event.at("time").get<std::string>());
    last = event.at("time").get<std::string>();
  }
  EXPECT_EQ(kinds.size(), 14u) << Json(kinds);
}

TEST(MeshLife, TheSameArgumentsGiveTheSameLife) {
  const SmallCapture again = Generate(EventfulOptions());
  EXPECT_EQ(again.lines, EventfulCapture().lines);
  EXPECT_EQ(again.truth, EventfulCapture().truth);
}

TEST(MeshLife, NobodySendsBeforeItAppearsOrAfterItDied) {
  std::map<Bytes, std::pair<std::string, std::string>> first_and_last;
  for (const CapturedPacket& captured : EventfulCapture().Packets()) {
    if (captured.packet.payload_type != PayloadType::kAdvert || !IsFlood(captured.packet.route)) continue;
    const Bytes key(captured.packet.payload.begin(), captured.packet.payload.begin() + 32);
    first_and_last.try_emplace(key, captured.received_at, "").first->second.second = captured.received_at;
  }
  for (const Json& node : EventfulCapture().truth.at("nodes")) {
    const auto sent = first_and_last.find(*FromHex(node.at("public_key").get<std::string>()));
    if (sent == first_and_last.end()) continue;
    const Json& appeared = node.at("appeared_at");
    EXPECT_TRUE(appeared.is_null() || sent->second.first > appeared.get<std::string>());
    if (node.at("died_at").is_null()) continue;
    const auto died = ParseTime(node.at("died_at").get<std::string>())->time;
    EXPECT_LT(ParseTime(sent->second.second)->time, died + std::chrono::minutes(2));
  }
}

TEST(MeshLife, TheDeadHaveNoLinksAndAreNotUp) {
  const Json& truth = EventfulCapture().truth;
  const auto dead = EventsOf(truth, "dies");
  ASSERT_FALSE(dead.empty());
  for (const Json& event : dead) {
    const Json node = NodeOf(truth, event.at("node"));
    EXPECT_FALSE(node.at("alive"));
    EXPECT_FALSE(node.at("up"));
    EXPECT_EQ(node.at("died_at"), event.at("time"));
  }
  for (const Json& link : truth.at("links")) {
    EXPECT_TRUE(truth.at("nodes").at(link.at("a").get<std::size_t>()).at("alive"));
    EXPECT_TRUE(truth.at("nodes").at(link.at("b").get<std::size_t>()).at("alive"));
  }
}

TEST(MeshLife, TheTruthHasThePlaceAfterTheLastMove) {
  const Json& truth = EventfulCapture().truth;
  std::map<std::string, Json> last;
  for (const Json& event : EventsOf(truth, "moves")) last[event.at("node")] = event;
  ASSERT_FALSE(last.empty());
  for (const auto& [key, event] : last) {
    const Json node = NodeOf(truth, key);
    for (const char* field : {"lat", "lon", "community", "region"})
      EXPECT_EQ(node.at(field), event.at(field));
    EXPECT_NE(event.at("lat"), event.at("from_lat"));
  }
}

TEST(MeshLife, TheTruthHasTheModeAfterTheLastChange) {
  const Json& truth = EventfulCapture().truth;
  std::map<std::string, Json> last;
  for (const Json& event : EventsOf(truth, "changes_mode"))
    last[event.at("node")] = event.at("path_hash_mode");
  ASSERT_FALSE(last.empty());
  for (const auto& [key, mode] : last) EXPECT_EQ(NodeOf(truth, key).at("path_hash_mode"), mode);
}

TEST(MeshLife, RegionsPartAndJoinAsTheirBridgesDieAndAppear) {
  const Json& truth = EventfulCapture().truth;
  for (const Json& event : EventsOf(truth, "communities_join")) {
    EXPECT_TRUE(event.at("connected_after"));
    for (const Json& key : event.at("nodes"))
      EXPECT_EQ(NodeOf(truth, key).at("appeared_at"), event.at("time"));
  }
  const auto parted = EventsOf(truth, "communities_part");
  ASSERT_EQ(parted.size(), 1u);
  EXPECT_FALSE(parted[0].at("connected_after"));
}

TEST(MeshLife, AnObserverPublishesNothingInAnOutage) {
  const auto outages = EventsOf(EventfulCapture().truth, "observer_loses_connection");
  ASSERT_FALSE(outages.empty());
  const auto packets = EventfulCapture().Packets();
  for (const Json& outage : outages) {
    const auto begin = ParseTime(outage.at("time").get<std::string>())->time + std::chrono::seconds(2);
    const auto end = ParseTime(outage.at("until").get<std::string>())->time;
    for (const CapturedPacket& captured : packets) {
      if (PublicKey::FromHex(captured.observer)->ToHex() != outage.at("node")) continue;
      const auto received = ParseTime(captured.received_at)->time;
      EXPECT_FALSE(begin < received && received < end) << captured.received_at;
    }
  }
}

TEST(MeshLife, WithoutRatesNothingChangesButFailures) {
  Options options = SmallOptions();
  options.upgrades_per_day = options.births_per_day = options.deaths_per_day = options.absences_per_day = 0;
  options.moves_per_day = options.mode_changes_per_day = options.bridge_failures_per_day = 0;
  options.observer_outages_per_day = 0;
  const SmallCapture capture = Generate(options);
  for (const Json& event : capture.truth.at("events")) {
    EXPECT_TRUE(event.at("kind") == "fails" || event.at("kind") == "returns") << event;
  }
}

TEST(MeshLife, LinksAfterMovesAreThoseOfAMeshBuiltThere) {
  const UtcMillis start{std::chrono::milliseconds(1'767'225'600'000)};
  World world = BuildWorld(2, {60, 0.3, 0, start, {}, 0, 0, 0}, Random(3));
  Life life(world, {0, 0, 0.5, 0, 0}, std::vector<std::uint8_t>(60, 0), start, Random(4));
  life.AdvanceTo(start + std::chrono::hours(48));
  EXPECT_GT(std::ranges::count(life.events(), LifeEventKind::kMoves, &LifeEvent::kind), 10);
  const LinkTable fresh = BuildLinks(world.nodes, world.surroundings);
  for (NodeIndex from = 0; from < 60; ++from) {
    ASSERT_EQ(world.links.From(from).size(), fresh.From(from).size());
    for (std::size_t i = 0; i < fresh.From(from).size(); ++i) {
      EXPECT_EQ(world.links.From(from)[i].to, fresh.From(from)[i].to);
      EXPECT_EQ(world.links.From(from)[i].snr_db, fresh.From(from)[i].snr_db);
    }
  }
}

TEST(CollidingPrefixes, AreInTheTruthAsOftenAsAskedFor) {
  Options options = SmallOptions();
  options.colliding_prefixes = 8;
  std::map<std::string, int> by_two, by_three;
  const SmallCapture capture = Generate(options);
  for (const Json& node : capture.truth.at("nodes")) {
    if (!node.at("relays")) continue;
    ++by_two[node.at("public_key").get<std::string>().substr(0, 4)];
    ++by_three[node.at("public_key").get<std::string>().substr(0, 6)];
  }
  const auto shared = [](const auto& counts) {
    return std::ranges::count_if(counts, [](const auto& entry) { return entry.second > 1; });
  };
  EXPECT_EQ(shared(by_two), 8);
  EXPECT_EQ(shared(by_three), 4);
}

std::set<Json> Keys(const Json& nodes) {
  return {nodes.begin(), nodes.end()};
}

TEST(Resettlement, HappensInEachWayOnce) {
  const Json& truth = ResettledCapture().truth;
  for (const char* kind :
       {"community_splits", "community_merges", "community_founded", "community_abandoned"})
    EXPECT_EQ(EventsOf(truth, kind).size(), 1u) << kind;
}

TEST(Resettlement, LeavesMoreInATownThatSplitsThanItTakesAway) {
  const Json& truth = ResettledCapture().truth;
  const Json split = EventsOf(truth, "community_splits").at(0);
  std::size_t stay = 0, moved = 0;
  for (const Json& node : truth.at("nodes")) {
    stay += node.at("community") == split.at("from_community") ? 1 : 0;
    moved += node.at("community") == split.at("community") ? 1 : 0;
  }
  EXPECT_EQ(moved, split.at("nodes").size());
  EXPECT_GE(moved, 3u);
  EXPECT_GE(stay, moved);
}

TEST(Resettlement, LeavesNobodyWhereATownMergedOrWasAbandoned) {
  const Json& truth = ResettledCapture().truth;
  for (const char* kind : {"community_merges", "community_abandoned"}) {
    const Json event = EventsOf(truth, kind).at(0);
    for (const Json& node : truth.at("nodes")) {
      if (node.at("community") != event.at("from_community")) continue;
      EXPECT_FALSE(node.at("alive").get<bool>()) << kind << ": " << node.at("name");
    }
  }
}

TEST(Resettlement, TellsWhatHappensToEachNode) {
  const Json& truth = ResettledCapture().truth;
  std::set<Json> moved, dead, new_ones;
  for (const Json& event : EventsOf(truth, "moves")) moved.insert(event.at("node"));
  for (const Json& event : EventsOf(truth, "dies")) dead.insert(event.at("node"));
  for (const Json& event : EventsOf(truth, "appears")) new_ones.insert(event.at("node"));
  std::set<Json> movers = Keys(EventsOf(truth, "community_splits").at(0).at("nodes"));
  movers.merge(Keys(EventsOf(truth, "community_merges").at(0).at("nodes")));
  EXPECT_EQ(moved, movers);
  EXPECT_EQ(dead, Keys(EventsOf(truth, "community_abandoned").at(0).at("nodes")));
  EXPECT_EQ(new_ones, Keys(EventsOf(truth, "community_founded").at(0).at("nodes")));
}

TEST(Resettlement, PutsTownsAsFarApartAsIsAsked) {
  for (const double spacing : {0.0, 20.0}) {
    const Terrain terrain = BuildTerrain(2, 200, Random(5), spacing);
    for (std::size_t a = 0; a < terrain.towns.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        if (terrain.towns[a].ridge || terrain.towns[b].ridge) continue;
        EXPECT_GE(DistanceKm(terrain.towns[a].centre, terrain.towns[b].centre), spacing);
      }
    }
  }
}

}  // namespace
}  // namespace heliograph::meshsim
