#include <gmock/gmock.h>

#include "server/http/request.h"
#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MultibyteRoutesTest : public RoutesTest {
 protected:
  void SetUp() override { observer_ = mesh_.AddObserver(KeyOf({0xA1}), "SFO"); }

  std::int64_t observer_ = 0;
};

TEST_F(MultibyteRoutesTest, EveryNodeIsListedWithItsStateAndTheSummaryCounts) {
  mesh_.Confirm(mesh_.AddNode(KeyOf({1})));
  mesh_.AddNode(KeyOf({2}), "companion", "inactive_nodes");
  const Json answer = GetJson("/api/multibyte");
  EXPECT_EQ(answer.at("total"), 2);
  EXPECT_TRUE(answer.at("next").is_null());
  const Json& node = answer.at("nodes").at(0);
  EXPECT_EQ(node.at("status"), "confirmed");
  EXPECT_EQ(node.at("evidence"), "advert");
  EXPECT_EQ(node.at("max_hash_size"), 2);
  for (const char* member : {"public_key", "name", "role", "active", "probability", "likely_legacy",
                             "adopted", "last_proof_at", "advert_proofs", "relay_proofs", "path_hints"}) {
    EXPECT_TRUE(node.contains(member)) << member;
  }
  EXPECT_EQ(answer.at("nodes").at(1).at("active"), false);
  const Json& summary = answer.at("summary");
  EXPECT_EQ(summary.at("confirmed"), 1);
  EXPECT_EQ(summary.at("suspected"), 0);
  EXPECT_EQ(summary.at("unknown"), 1);
  EXPECT_EQ(summary.at("adopted"), 1);
  EXPECT_TRUE(summary.at("as_of").is_null());
  EXPECT_EQ(summary.at("progress"), "complete");
}

TEST_F(MultibyteRoutesTest, FollowingNextVisitsEveryNodeOnce) {
  for (int i = 0; i < 11; ++i) mesh_.AddNode(KeyOf({i * 20, 5}));
  const auto whole = Column(GetJson("/api/multibyte?limit=2000").at("nodes"), "public_key");
  ASSERT_EQ(whole.size(), 11U);
  for (int size = 1; size <= 12; ++size) {
    std::vector<std::string> joined;
    std::string cursor;
    do {
      const Json page = GetJson("/api/multibyte?limit=" + std::to_string(size) + "&cursor=" + cursor);
      EXPECT_EQ(page.at("total"), 11);
      for (const auto& key : Column(page.at("nodes"), "public_key")) joined.push_back(key);
      cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
    } while (!cursor.empty() && joined.size() < 100);
    EXPECT_EQ(joined, whole) << "in pages of " << size;
  }
  GetJson("/api/multibyte?cursor=nonsense", 400);
}

TEST_F(MultibyteRoutesTest, StatusAndRegionFilter) {
  mesh_.Confirm(mesh_.AddNode(KeyOf({1})));
  const std::int64_t heard = mesh_.AddNode(KeyOf({2}));
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, heard), observer_, kFlood, 1, "");
  EXPECT_THAT(Column(GetJson("/api/multibyte?status=unknown").at("nodes"), "public_key"),
              ElementsAre(KeyOf({2}).ToHex()));
  EXPECT_EQ(GetJson("/api/multibyte?status=unknown").at("summary").at("confirmed"), 1);
  const Json region = GetJson("/api/multibyte?region=sfo");
  EXPECT_EQ(region.at("total"), 1);
  EXPECT_EQ(region.at("summary").at("confirmed"), 0);
  EXPECT_EQ(GetJson("/api/multibyte?region=ALL").at("total"), 2);
  EXPECT_EQ(GetJson("/api/multibyte?region=XXX").at("nodes"), Json::array());
  GetJson("/api/multibyte?status=maybe", 400);
}

TEST_F(MultibyteRoutesTest, AsOfAnswersAsItWasThen) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node, "advert");  // commit 2
  mesh_.Confirm(node, "relay");   // commit 3
  for (const std::string as_of : {"c2", "seq:2", "time:1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00"}) {
    const Json answer = GetJson("/api/multibyte?as_of=" + PercentEncode(as_of));
    const bool is_time = as_of.find('T') != std::string::npos;  // both commits are of the first millisecond
    EXPECT_EQ(answer.at("nodes").at(0).at("evidence"), is_time ? "relay" : "advert") << as_of;
    EXPECT_EQ(answer.at("summary").at("as_of").at("commit_seq"), is_time ? 3 : 2);
    EXPECT_TRUE(answer.at("nodes").at(0).at("name").is_null());
    EXPECT_TRUE(answer.at("nodes").at(0).at("advert_proofs").is_null());
  }
  EXPECT_EQ(GetJson("/api/multibyte?as_of=genesis").at("total"), 0);
  EXPECT_EQ(GetJson("/api/multibyte?as_of=seq:3&status=confirmed").at("total"), 1);
}

TEST_F(MultibyteRoutesTest, AnAsOfThatCannotBeAnsweredIsRefused) {
  GetJson("/api/multibyte?as_of=seq:99", 404);
  GetJson("/api/multibyte?as_of=01J0000000000000000000000", 404);
  GetJson("/api/multibyte?as_of=seq:x", 400);
  GetJson("/api/multibyte?as_of=time:2026", 400);
  GetJson("/api/multibyte?as_of=2026-01-02T03:04:05", 400);
  GetJson("/api/multibyte?as_of=seq:1&region=SFO", 400);
  mesh_.Run("UPDATE meta SET value = '2' WHERE key = 'history_floor'");
  GetJson("/api/multibyte?as_of=seq:1", 410);
}

TEST_F(MultibyteRoutesTest, ANodeTellsItsHistoryWithTheCommits) {
  const std::int64_t node = mesh_.AddNode(KeyOf({0xCD}));
  mesh_.Confirm(node, "advert");
  mesh_.Confirm(node, "relay");
  const Json now = GetJson("/api/multibyte/" + KeyOf({0xCD}).ToObserverId());
  ASSERT_EQ(now.at("history").size(), 2U);
  EXPECT_EQ(now.at("history").at(0).at("from_commit"), "c2");
  EXPECT_EQ(now.at("history").at(0).at("to_commit"), "c3");
  EXPECT_TRUE(now.at("history").at(1).at("to_seq").is_null());
  EXPECT_EQ(now.at("status"), "confirmed");
  const Json then = GetJson("/api/multibyte/" + KeyOf({0xCD}).ToHex() + "?as_of=c2");
  ASSERT_EQ(then.at("history").size(), 1U);
  EXPECT_TRUE(then.at("history").at(0).at("to_seq").is_null());
  EXPECT_EQ(then.at("evidence"), "advert");
}

TEST_F(MultibyteRoutesTest, UnknownKeysAre404AndMalformedOnes400) {
  GetJson("/api/multibyte/" + KeyOf({7}).ToHex(), 404);
  GetJson("/api/multibyte/" + KeyOf({7}).ToHex() + "?as_of=seq:1", 404);
  GetJson("/api/multibyte/abcd", 400);
}

TEST_F(MultibyteRoutesTest, ANodeTellsWhatItsProbabilityRestsOn) {
  mesh_.AddNode(KeyOf({1}));
  const Json now = GetJson("/api/multibyte/" + KeyOf({1}).ToHex());
  EXPECT_FALSE(now.at("probability").is_null());
  for (const char* member : {"probability", "relayed", "prior", "stays_at_one", "relay_yield"})
    EXPECT_TRUE(now.at("model").at(member).is_number()) << member;
  EXPECT_EQ(now.at("model").at("opportunity").at("relays_expected"), 0);
  EXPECT_EQ(now.at("model").at("opportunity").at("neighbors"), Json::array());
}

TEST_F(MultibyteRoutesTest, AProofNamesThePacketTheHopAndWhoTheHopCanBe) {
  mesh_.AddNode(KeyOf({0xAB, 0xCD, 1}));
  mesh_.AddNode(KeyOf({0xAB, 0xCD, 2}));
  Hear(Text(1, "1111ABCD", 2), observer_, 4000);
  Hear(Text(1, "1111ABCD", 2), observer_, 5000);
  const Json proofs = GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD, 1}).ToHex()).at("proofs");
  ASSERT_EQ(proofs.size(), 1U);  // one for each packet, the newest observation
  EXPECT_EQ(proofs.at(0).at("evidence"), "path");
  EXPECT_EQ(proofs.at(0).at("hash"), Text(1).Hash().ToHex());
  EXPECT_EQ(proofs.at(0).at("time"), FormatTime(At(5000)));
  EXPECT_EQ(proofs.at(0).at("observer_id"), KeyOf({0xA1}).ToObserverId());
  EXPECT_EQ(proofs.at(0).at("path"), Json::parse(R"(["1111","ABCD"])"));
  EXPECT_EQ(proofs.at(0).at("hop"), 1);
  EXPECT_THAT(Column(proofs.at(0).at("candidates"), "public_key"),
              ElementsAre(KeyOf({0xAB, 0xCD, 1}).ToHex(), KeyOf({0xAB, 0xCD, 2}).ToHex()));
  for (const Json& candidate : proofs.at(0).at("candidates"))
    EXPECT_NEAR(candidate.at("probability").get<double>(), 0.5, 0.01);
}

TEST_F(MultibyteRoutesTest, AThreeByteHopThatOneNodeAloneCanBeIsARelay) {
  mesh_.AddNode(KeyOf({0xAB, 0xCD, 1}));
  mesh_.AddNode(KeyOf({0xAB, 0xCD, 2}));
  Hear(Text(1, "ABCD02", 3), observer_);
  EXPECT_THAT(GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD, 1}).ToHex()).at("proofs"), IsEmpty());
  EXPECT_EQ(GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD, 2}).ToHex()).at("proofs").at(0).at("evidence"),
            "relay");
}

TEST_F(MultibyteRoutesTest, AProofIsJudgedAsTheStatusIs) {
  mesh_.AddNode(KeyOf({0xAB, 0xCD}), "companion");
  Hear(Text(1, "ABCD", 2), observer_);
  const Json companion = GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD}).ToHex());
  EXPECT_EQ(companion.at("evidence"), "path");
  EXPECT_EQ(companion.at("proofs").at(0).at("evidence"), "path");
}

TEST_F(MultibyteRoutesTest, AnObserverThatIsNoNodeCanBeTheHopToo) {
  mesh_.AddNode(KeyOf({0xA1, 0, 1}));
  Hear(Text(1, "A100", 2), observer_);  // the observer's key is A1 00 too
  const Json answer = GetJson("/api/multibyte/" + KeyOf({0xA1, 0, 1}).ToHex());
  EXPECT_EQ(answer.at("evidence"), "path");
  EXPECT_EQ(answer.at("proofs").at(0).at("evidence"), "path");
  EXPECT_EQ(answer.at("proofs").at(0).at("candidates").size(), 2U);
}

TEST_F(MultibyteRoutesTest, APacketIsNoProofOfRelayingForWhoSignedIt) {
  const std::int64_t signer = mesh_.AddNode(KeyOf({0xAB, 0xCD, 1}));
  mesh_.AddNode(KeyOf({0xAB, 0xCD, 2}));
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, signer), observer_, kFlood, 2, "ABCD");
  const Json own = GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD, 1}).ToHex()).at("proofs");
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own.at(0).at("evidence"), "advert");
  const Json twin = GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD, 2}).ToHex());
  EXPECT_EQ(twin.at("evidence"), "relay");
  EXPECT_EQ(twin.at("proofs").at(0).at("evidence"), "relay");
}

TEST_F(MultibyteRoutesTest, ALoneAdvertAtNoHopsBesideOthersOfOneByteIsMarkedUndecided) {
  const std::int64_t node = mesh_.AddNode(KeyOf({0x31}));
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer_, kFlood, 1, "11");
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer_, kFlood, 2, "");
  const Json answer = GetJson("/api/multibyte/" + KeyOf({0x31}).ToHex());
  EXPECT_EQ(answer.at("status"), "unknown");
  ASSERT_EQ(answer.at("proofs").size(), 1U);
  EXPECT_EQ(answer.at("proofs").at(0).at("undecided"), true);
  EXPECT_TRUE(answer.at("proofs").at(0).at("evidence").is_null());
}

TEST_F(MultibyteRoutesTest, WhatProvesNothingIsNoProof) {
  mesh_.AddNode(KeyOf({0xAB, 0xCD}));
  Hear(Text(1, "ABCD", 1), observer_);      // two hops of one byte
  Hear(Text(2, "11ABCD11", 2), observer_);  // the bytes, but across two hops
  Hear(Flood(PayloadType::kTrace, Bytes(9, 0), "ABCD", 2), observer_);
  Packet direct = Text(3, "ABCD", 2);
  direct.route = RouteType::kDirect;
  Hear(direct, observer_);
  const Json answer = GetJson("/api/multibyte/" + KeyOf({0xAB, 0xCD}).ToHex());
  EXPECT_THAT(answer.at("proofs"), IsEmpty());
  EXPECT_EQ(answer.at("proofs_truncated"), false);
}

TEST_F(MultibyteRoutesTest, AnOwnFloodAdvertOfTwoBytesIsAProofAndTheListSaysWhenItIsCut) {
  const std::int64_t node = mesh_.AddNode(KeyOf({0x31}));
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer_, kFlood, 2, "1111");
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer_, kFlood, 1, "");
  const Json answer = GetJson("/api/multibyte/" + KeyOf({0x31}).ToHex());
  ASSERT_EQ(answer.at("proofs").size(), 1U);
  EXPECT_EQ(answer.at("proofs").at(0).at("evidence"), "advert");
  EXPECT_TRUE(answer.at("proofs").at(0).at("hop").is_null());
  for (int i = 0; i < 30; ++i) Hear(Text(static_cast<std::uint8_t>(i), "3100", 2), observer_);
  Refresh();
  const Json many = GetJson("/api/multibyte/" + KeyOf({0x31}).ToHex());
  EXPECT_EQ(many.at("proofs").size(), 21U);
  EXPECT_EQ(many.at("proofs_truncated"), true);
}

}  // namespace
}  // namespace heliograph::server
