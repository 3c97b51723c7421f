#include <gmock/gmock.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeRoutesTest : public RoutesTest {
 protected:
  /// A node with a name, last seen so many minutes after the start of the data.
  std::int64_t Add(const PublicKey& key, const std::string& name, int minutes,
                   const std::string& role = "repeater") {
    const std::int64_t number = mesh_.AddNode(key, role);
    mesh_.Run("UPDATE nodes SET name = '" + name + "', advert_count = " + std::to_string(minutes % 3) +
              ", last_seen = last_seen + " + std::to_string(minutes * 60'000) + ", revision = " +
              std::to_string(mesh_.NextRevision()) + " WHERE node_key = " + std::to_string(number));
    return number;
  }
  void AddMany(int count) {
    for (int i = 0; i < count; ++i) Add(KeyOf({i, 7}), "node " + std::to_string(i * 7 % count), i % 5);
  }
};

TEST_F(NodeRoutesTest, AListedNodeHasTheMembersThatCoreScopesClientsRead) {
  Add(KeyOf({0xAB}), "hill", 0);
  const Json answer = GetJson("/api/nodes");
  const Json& node = answer.at("nodes").at(0);
  for (const char* member :
       {"public_key", "name", "role", "lat", "lon", "last_seen", "first_seen", "last_heard", "advert_count",
        "battery_mv", "temperature_c", "hash_size", "hash_size_inconsistent", "hash_sizes_seen", "foreign",
        "default_scope", "multi_byte_status", "multi_byte_evidence", "multi_byte_max_hash_size"}) {
    EXPECT_TRUE(node.contains(member)) << member;
  }
  EXPECT_EQ(node.at("public_key"), KeyOf({0xAB}).ToHex());
  EXPECT_TRUE(node.at("lat").is_null());
  EXPECT_TRUE(node.at("hash_sizes_seen").is_array());
  EXPECT_EQ(node.at("last_seen"), FormatTime(At(0)));
  EXPECT_EQ(answer.at("counts"), Json::parse(R"({"repeaters":1,"rooms":0,"companions":0,"sensors":0})"));
}

TEST_F(NodeRoutesTest, PagesOfAnySizeConcatenateToTheWhole) {
  AddMany(17);
  for (const std::string order : {"name", "lastSeen", "packetCount"}) {
    const auto whole = Column(GetJson("/api/nodes?limit=2000&sortBy=" + order).at("nodes"), "public_key");
    ASSERT_EQ(whole.size(), 17U);
    for (std::size_t size = 1; size <= 18; ++size) {
      std::vector<std::string> joined;
      for (std::size_t offset = 0; offset < 20; offset += size) {
        const Json page = GetJson("/api/nodes?sortBy=" + order + "&limit=" + std::to_string(size) +
                                  "&offset=" + std::to_string(offset));
        EXPECT_EQ(page.at("total"), 17);
        for (const auto& key : Column(page.at("nodes"), "public_key")) joined.push_back(key);
      }
      EXPECT_EQ(joined, whole) << order << " in pages of " << size;
    }
  }
}

TEST_F(NodeRoutesTest, FiltersComeBeforePagingAndTheTotalCountsWhatPasses) {
  AddMany(9);
  Add(KeyOf({0xF0}), "Last Room", 0, "room");
  const Json answer = GetJson("/api/nodes?role=room&limit=1");
  EXPECT_EQ(answer.at("total"), 1);
  EXPECT_THAT(Column(answer.at("nodes"), "name"), ElementsAre("Last Room"));
  EXPECT_EQ(GetJson("/api/nodes?search=NODE&limit=2").at("total"), 9);
  EXPECT_EQ(answer.at("counts").at("repeaters"), 9);
}

TEST_F(NodeRoutesTest, OddPagingNeverFails) {
  AddMany(3);
  for (const char* query :
       {"offset=-1", "offset=-9223372036854775808", "limit=-5", "limit=abc", "limit=999999999999999999"}) {
    EXPECT_EQ(GetJson(std::string("/api/nodes?") + query).at("nodes").size(), 3U) << query;
  }
  EXPECT_THAT(GetJson("/api/nodes?offset=9223372036854775807").at("nodes"), IsEmpty());
}

TEST_F(NodeRoutesTest, ARegionIsThatOfTheObserversThatHeardTheAdverts) {
  const std::int64_t node = Add(KeyOf({1}), "a", 0);
  Add(KeyOf({2}), "b", 0);
  const std::int64_t observer = mesh_.AddObserver(KeyOf({9}), "SFO");
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer, kFlood, 1, "");
  EXPECT_THAT(Column(GetJson("/api/nodes?region=%20sfo%20").at("nodes"), "name"), ElementsAre("a"));
  EXPECT_EQ(GetJson("/api/nodes?region=all").at("total"), 2);
  EXPECT_EQ(GetJson("/api/nodes?region=,").at("total"), 2);
  const Json nowhere = GetJson("/api/nodes?region=XXX");
  EXPECT_EQ(nowhere.at("total"), 0);
  EXPECT_TRUE(nowhere.at("nodes").is_array());
}

TEST_F(NodeRoutesTest, WhatIsNotToBeShownIsNowhere) {
  Add(KeyOf({1}), "black", 0);
  Add(KeyOf({2}), "Hidden one", 0);
  Add(KeyOf({3}), "seen", 0);
  config_.node_blacklist = {KeyOf({1}).ToObserverId()};
  config_.hidden_name_prefixes = {"Hidden"};
  const Json answer = GetJson("/api/nodes");
  EXPECT_THAT(Column(answer.at("nodes"), "name"), ElementsAre("seen"));
  EXPECT_EQ(answer.at("total"), 1);
  EXPECT_EQ(answer.at("counts").at("repeaters"), 1);
  EXPECT_THAT(GetJson("/api/nodes/search?q=d").at("nodes"), IsEmpty());
  for (const PublicKey& key : {KeyOf({1}), KeyOf({2})}) {
    GetJson("/api/nodes/" + key.ToHex(), 404);
    GetJson("/api/multibyte/" + key.ToHex(), 404);
  }
  EXPECT_EQ(GetJson("/api/multibyte").at("total"), 1);
  EXPECT_EQ(GetJson("/api/stats").at("totalNodesAllTime"), 1);
}

TEST_F(NodeRoutesTest, ANodeIsNamedByItsKeyOrBeginningInAnyCase) {
  Add(KeyOf({0xAA, 0xBB, 0xCC, 0xD0}, 1), "one", 0);
  Add(KeyOf({0xAA, 0xBB, 0xCC, 0xD0}, 2), "two", 0);
  Add(KeyOf({0xAA, 0xBB, 0xCC, 0xE0}, 3), "three", 0);
  EXPECT_EQ(GetJson("/api/nodes/AABBCCE0").at("node").at("name"), "three");
  EXPECT_EQ(GetJson("/api/nodes/aabbcce00").at("node").at("name"), "three");
  EXPECT_EQ(GetJson("/api/nodes/" + KeyOf({0xAA, 0xBB, 0xCC, 0xD0}, 2).ToObserverId()).at("node").at("name"),
            "two");
  GetJson("/api/nodes/aabbccd0", 409);
  GetJson("/api/nodes/aabbccff", 404);
  GetJson("/api/nodes/aabbcc", 400);
  EXPECT_TRUE(GetJson("/api/nodes/not-hexadecimal", 400).contains("error"));
}

TEST_F(NodeRoutesTest, RecentAdvertsAreTheNewestTwentyWithTheirObservations) {
  const std::int64_t node = Add(KeyOf({1}), "a", 0);
  const std::int64_t observer = mesh_.AddObserver(KeyOf({9}));
  for (int i = 0; i < 25; ++i)
    mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node, i), observer, kFlood, 1, "");
  const Json adverts = GetJson("/api/nodes/" + KeyOf({1}).ToHex()).at("recentAdverts");
  ASSERT_EQ(adverts.size(), 20U);
  EXPECT_GT(adverts.at(0).at("id"), adverts.at(19).at("id"));
  EXPECT_EQ(adverts.at(0).at("observations").at(0).at("observer_id"), KeyOf({9}).ToObserverId());
}

TEST_F(NodeRoutesTest, AnAnswerThatTheClientHoldsIsNotSentAgainUntilANodeChanges) {
  Add(KeyOf({1}), "a", 0);
  const std::string tag = *Get("/api/nodes").FindHeader("ETag");
  EXPECT_EQ(Get("/api/nodes", tag).status, 304);
  EXPECT_EQ(Get("/api/nodes?limit=1", tag).status, 200);
  Add(KeyOf({2}), "b", 0);
  Refresh();
  const Response changed = Get("/api/nodes", tag);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(Json::parse(changed.Text()).at("total"), 2);
}

TEST_F(NodeRoutesTest, LastHeardCountsFromTheNewestPacket) {
  Add(KeyOf({1}), "old", 0);
  Add(KeyOf({2}), "new", 100);
  const std::int64_t observer = mesh_.AddObserver(KeyOf({9}));
  Hear(Text(1), observer, 100 * 60'000);
  EXPECT_THAT(Column(GetJson("/api/nodes?lastHeard=1h").at("nodes"), "name"), ElementsAre("new"));
  EXPECT_EQ(GetJson("/api/nodes?lastHeard=6h").at("total"), 2);
  EXPECT_EQ(GetJson("/api/nodes?before=" + FormatTime(At(-1))).at("total"), 0);
  GetJson("/api/nodes?lastHeard=5w", 400);
  GetJson("/api/nodes?sortBy=luck", 400);
  GetJson("/api/nodes?before=yesterday", 400);
}

TEST_F(NodeRoutesTest, LastHeardIsNotAnsweredFromATimeThatHasPassed) {
  Add(KeyOf({1}), "old", 0);
  const std::int64_t observer = mesh_.AddObserver(KeyOf({9}));
  Hear(Text(1), observer, 0);
  EXPECT_EQ(GetJson("/api/nodes?lastHeard=1h").at("total"), 1);
  Hear(Text(2), observer, 2 * 3'600'000);
  Refresh();
  EXPECT_EQ(GetJson("/api/nodes?lastHeard=1h").at("total"), 0);
}

TEST_F(NodeRoutesTest, SearchFindsNamesAndBeginningsOfKeysButAtMostTen) {
  AddMany(15);
  Add(KeyOf({0xBE, 0xEF}), "other", 0);
  EXPECT_EQ(GetJson("/api/nodes/search?q=NODE").at("nodes").size(), 10U);
  EXPECT_THAT(Column(GetJson("/api/nodes/search?q=BEef").at("nodes"), "name"), ElementsAre("other"));
  EXPECT_THAT(GetJson("/api/nodes/search?q=").at("nodes"), IsEmpty());
  EXPECT_THAT(GetJson("/api/nodes/search").at("nodes"), IsEmpty());
}

TEST_F(NodeRoutesTest, InactiveNodesAreNotListedButCanBeLookedAt) {
  mesh_.AddNode(KeyOf({5}), "repeater", "inactive_nodes");
  EXPECT_EQ(GetJson("/api/nodes").at("total"), 0);
  EXPECT_EQ(GetJson("/api/nodes/" + KeyOf({5}).ToHex()).at("node").at("active"), false);
}

}  // namespace
}  // namespace heliograph::server
