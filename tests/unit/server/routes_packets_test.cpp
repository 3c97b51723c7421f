#include <set>
#include <tuple>

#include <gmock/gmock.h>

#include "common/channel_crypto.h"
#include "common/payload.h"
#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PacketRoutesTest : public RoutesTest {
 protected:
  void SetUp() override {
    observer_ = mesh_.AddObserver(KeyOf({0xA1}), "SFO");
    other_ = mesh_.AddObserver(KeyOf({0xA2}), "OAK");
  }
  std::string ObserverId(int first) { return KeyOf({first}).ToObserverId(); }

  std::int64_t observer_ = 0, other_ = 0;
};

TEST_F(PacketRoutesTest, APacketShowsTheObservationWithTheLongestPathTheFirstOnTies) {
  Hear(Text(1, "0A"), observer_, 0, 0, 10);
  Hear(Text(1, "0A0B"), other_, 1000, 0, -9);
  Hear(Text(1, "0C0D"), observer_, 2000);
  const Json packet = GetJson("/api/packets").at("packets").at(0);
  EXPECT_EQ(packet.at("path_json"), R"(["0A","0B"])");
  EXPECT_EQ(packet.at("_parsedPath"), Json::parse(R"(["0A","0B"])"));
  EXPECT_EQ(packet.at("snr"), -2.25);
  EXPECT_EQ(packet.at("rssi"), -90);
  EXPECT_EQ(packet.at("observer_id"), ObserverId(0xA2));
  EXPECT_EQ(packet.at("observer_iata"), "OAK");
  EXPECT_EQ(packet.at("observation_count"), 3);
  EXPECT_EQ(packet.at("direction"), "rx");
  EXPECT_EQ(packet.at("raw_hex"), ToHexLower(EncodeFrame(Text(1, "0A0B"))));
  EXPECT_EQ(Json::parse(packet.at("decoded_json").get<std::string>()).at("type"), "TXT_MSG");
}

TEST_F(PacketRoutesTest, TheFrameIsRebuiltToTheByteWithItsTransportCodes) {
  Packet packet = Text(1, "AABBCCDD", 2);
  packet.route = RouteType::kTransportFlood;
  packet.transport_codes = TransportCodes{0xBEEF, 0xFEED};
  Hear(packet, observer_);
  EXPECT_EQ(GetJson("/api/packets").at("packets").at(0).at("raw_hex"), ToHexLower(EncodeFrame(packet)));
}

TEST_F(PacketRoutesTest, APacketIsFoundByHashThenTransmissionThenObservation) {
  Hear(Text(1), observer_);
  const std::int64_t second = Hear(Text(2), observer_);
  Hear(Text(2, "0A"), other_);
  const std::string hash = Text(2).Hash().ToHex();
  const Json by_hash = GetJson("/api/packets/" + ToHexUpper(Text(2).Hash().bytes()));
  EXPECT_EQ(by_hash.at("packet").at("hash"), hash);
  EXPECT_EQ(by_hash.at("observation_count"), 2);
  EXPECT_EQ(by_hash.at("path"), Json::parse(R"(["0A"])"));
  EXPECT_EQ(by_hash.at("observations").at(0).at("hash"), hash);
  EXPECT_EQ(GetJson("/api/packets/" + std::to_string(second)), by_hash);
  EXPECT_EQ(GetJson("/api/packets/3"), by_hash);  // the third observation; there is no third transmission
  for (const char* unknown : {"99", "-1", "0123456789abcdef", "99999999999999999999", "x"}) {
    GetJson(std::string("/api/packets/") + unknown, 404);
  }
}

TEST_F(PacketRoutesTest, PagesOfAnySizeConcatenateToTheWhole) {
  for (int i = 0; i < 13; ++i) Hear(Text(static_cast<std::uint8_t>(i)), observer_, i % 4 * 1000);
  for (const std::string mode : {"order=desc", "order=asc", "groupByHash=true"}) {
    const auto whole = Column(GetJson("/api/packets?limit=100&" + mode).at("packets"), "hash");
    ASSERT_EQ(whole.size(), 13U);
    for (std::size_t size = 1; size <= 14; ++size) {
      std::vector<std::string> joined;
      for (std::size_t offset = 0; offset < 14; offset += size) {
        const Json page = GetJson("/api/packets?" + mode + "&limit=" + std::to_string(size) +
                                  "&offset=" + std::to_string(offset));
        EXPECT_EQ(page.at("total"), 13);
        for (const auto& hash : Column(page.at("packets"), "hash")) joined.push_back(hash);
      }
      EXPECT_EQ(joined, whole) << mode << " in pages of " << size;
    }
  }
}

TEST_F(PacketRoutesTest, OddPagingNeverFails) {
  Hear(Text(1), observer_);
  for (const char* query :
       {"offset=-1", "offset=-9223372036854775808", "limit=0", "limit=-1", "limit=99999999999999"}) {
    EXPECT_EQ(GetJson(std::string("/api/packets?") + query).at("packets").size(), 1U) << query;
  }
  EXPECT_THAT(GetJson("/api/packets?offset=9223372036854775807&groupByHash=true").at("packets"), IsEmpty());
  EXPECT_EQ(GetJson("/api/packets?limit=99999999999999").at("limit"), 10000);
}

TEST_F(PacketRoutesTest, ARegionIsThatOfTheObserversWhateverItsCase) {
  Hear(Text(1), observer_);
  Hear(Text(2), other_);
  EXPECT_EQ(GetJson("/api/packets?region=sfo").at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?region=SFO,%20oak").at("total"), 2);
  EXPECT_EQ(GetJson("/api/packets?region=All").at("total"), 2);
  const Json nowhere = GetJson("/api/packets?region=XXX");
  EXPECT_EQ(nowhere.at("total"), 0);
  EXPECT_EQ(nowhere.at("packets"), Json::array());
}

TEST_F(PacketRoutesTest, ObserversAreNamedInAnyCaseAndSeveralAtATime) {
  Hear(Text(1), observer_);
  Hear(Text(2), other_);
  EXPECT_THAT(Column(GetJson("/api/packets?observer=" + KeyOf({0xA2}).ToHex()).at("packets"), "hash"),
              ElementsAre(Text(2).Hash().ToHex()));
  EXPECT_EQ(GetJson("/api/packets?observer=" + ObserverId(0xA1) + "," + ObserverId(0xA2)).at("total"), 2);
  EXPECT_EQ(GetJson("/api/packets?observer=nobody").at("total"), 0);
  EXPECT_EQ(GetJson("/api/packets?region=SFO&observer=" + ObserverId(0xA2)).at("total"), 0);
}

TEST_F(PacketRoutesTest, TypeRouteTimeAndHashFilter) {
  Hear(Text(1), observer_, 0);
  Packet direct = Flood(PayloadType::kAck, {1, 2, 3, 4});
  direct.route = RouteType::kDirect;
  Hear(direct, observer_, 5000);
  EXPECT_EQ(GetJson("/api/packets?type=3").at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?route=1").at("packets").at(0).at("route_type"), 1);
  EXPECT_EQ(GetJson("/api/packets?route=2").at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?since=" + FormatTime(At(5000))).at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?until=" + FormatTime(At(4999))).at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?hash=" + ToHexUpper(direct.Hash().bytes())).at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?hash=zz").at("total"), 0);
  for (const char* bad : {"type=x", "type=16", "route=4", "since=now", "order=up", "groupByHash=maybe"}) {
    GetJson(std::string("/api/packets?") + bad, 400);
  }
}

TEST_F(PacketRoutesTest, ANodesPacketsAreTheAdvertsThatItSigned) {
  const std::int64_t node = mesh_.AddNode(KeyOf({0x11}));
  mesh_.Run("UPDATE nodes SET name = 'hill', revision = 99");
  mesh_.AddObservation(mesh_.AddTransmission(kAdvertType, node), observer_, kFlood, 1, "");
  Hear(Text(1), observer_);
  EXPECT_EQ(GetJson("/api/packets?node=hill").at("total"), 1);
  EXPECT_EQ(
      GetJson("/api/packets?node=" + KeyOf({0x11}).ToObserverId()).at("packets").at(0).at("payload_type"), 4);
  EXPECT_EQ(GetJson("/api/packets?node=nobody").at("total"), 0);
}

TEST_F(PacketRoutesTest, SeveralNodesAreNamedAtATimeAndUnknownOnesHaveNone) {
  for (int n = 1; n <= 3; ++n) {
    const auto node = mesh_.AddNode(KeyOf({n}));
    Hear(Flood(PayloadType::kAdvert, Bytes(100, static_cast<std::uint8_t>(n))), observer_, n, node);
  }
  const auto total = [&](const std::string& query) { return GetJson("/api/packets?" + query).at("total"); };
  const std::string first = KeyOf({1}).ToHex(), second = KeyOf({2}).ToHex(), unknown = KeyOf({7}).ToHex();
  EXPECT_EQ(total("nodes=" + first), 1);
  EXPECT_EQ(total("nodes=" + first + "," + second + "," + unknown), 2);
  EXPECT_EQ(total("nodes=" + unknown), 0);
  EXPECT_EQ(total("nodes=" + first + "," + second + "&node=" + second), 1);
}

TEST_F(PacketRoutesTest, AnAreaIsRefusedForThereAreNone) {
  EXPECT_THAT(GetJson("/api/packets?area=bay", 400).at("error"), HasSubstr("area"));
  EXPECT_THAT(GetJson("/api/nodes?area=bay", 400).at("error"), HasSubstr("area"));
  GetJson("/api/packets?area=");
}

TEST_F(PacketRoutesTest, NextLeadsThroughEachListToItsEnd) {
  mesh_.AddObserver(KeyOf({0xA3}));
  for (int n = 1; n <= 3; ++n) {
    mesh_.AddNode(KeyOf({n}));
    Hear(Text(static_cast<std::uint8_t>(n)), observer_, n);
  }
  for (const auto& [list, member, rows] :
       {std::tuple("nodes", "public_key", 3U), {"observers", "id", 3U}, {"packets", "hash", 3U}}) {
    const std::string path = std::string("/api/") + list + "?limit=2";
    const Json first = GetJson(path);
    const Json second = GetJson(path + "&cursor=" + first.at("next").get<std::string>());
    EXPECT_TRUE(second.at("next").is_null()) << list;
    EXPECT_EQ(first.at("total"), rows) << list;
    std::vector<std::string> seen = Column(first.at(list), member);
    for (const std::string& row : Column(second.at(list), member)) seen.push_back(row);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), rows) << list;
    GetJson(path + "&cursor=nonsense", 400);
  }
  const std::string next = GetJson("/api/nodes?limit=2").at("next");
  GetJson("/api/observers?cursor=" + next, 400);
}

TEST_F(PacketRoutesTest, AGroupSumsUpTheObservationsOfOneContent) {
  Hear(Text(1), observer_, 0);
  Hear(Text(1, "0A"), observer_, 1000);
  Hear(Text(1, "0B"), other_, 9000);
  const Json group = GetJson("/api/packets?groupByHash=true").at("packets").at(0);
  EXPECT_FALSE(group.contains("id"));
  EXPECT_EQ(group.at("count"), 3);
  EXPECT_EQ(group.at("observer_count"), 2);
  EXPECT_EQ(group.at("latest"), FormatTime(At(9000)));
  EXPECT_EQ(group.at("distinct_iatas"), Json::parse(R"(["OAK","SFO"])"));
}

TEST_F(PacketRoutesTest, ObservationsAreListedWhenAskedFor) {
  Hear(Text(1), observer_);
  Hear(Text(1, "0A"), other_, 700);
  EXPECT_FALSE(GetJson("/api/packets").at("packets").at(0).contains("observations"));
  const Json seen = GetJson("/api/packets?expand=observations").at("packets").at(0).at("observations");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen.at(1).at("timestamp"), FormatTime(At(700)));
  EXPECT_EQ(seen.at(0).at("path_json"), "[]");
}

TEST_F(PacketRoutesTest, AChannelMessageIsReadWithTheKeysThatFit) {
  const ChannelKey key = ChannelKey::Public();
  GroupMessage message;
  message.timestamp = 1'790'000'000;
  message.sender = "Ann";
  message.text = "hello <mesh>";
  const Packet packet = Flood(PayloadType::kGroupText, EncodePayload(EncryptGroupText(key, message)));
  const std::int64_t id = Hear(packet, observer_);
  mesh_.Run("UPDATE transmissions SET channel = 'Public' WHERE id = " + std::to_string(id));
  const Json found = GetJson("/api/packets?channel=Public").at("packets").at(0);
  const Json decoded = Json::parse(found.at("decoded_json").get<std::string>());
  EXPECT_EQ(decoded.at("type"), "CHAN");
  EXPECT_EQ(decoded.at("text"), "Ann: hello <mesh>");
  EXPECT_EQ(GetJson("/api/packets?channel=Private").at("total"), 0);
}

TEST_F(PacketRoutesTest, ATraceShowsItsPlannedRouteNotTheSnrBytes) {
  const auto packet = DecodeFrame(FromHex("2604302D0D2359FEE7B100000000006733D63367").value());
  ASSERT_TRUE(packet.has_value());
  Hear(*packet, observer_);
  EXPECT_EQ(GetJson("/api/packets").at("packets").at(0).at("path_json"), R"(["67","33","D6","33","67"])");
}

TEST_F(PacketRoutesTest, AdvertsOfHiddenNodesAreNotShown) {
  const std::int64_t node = mesh_.AddNode(KeyOf({0x11}));
  const PublicKey key = KeyOf({0x11});
  const Bytes payload(key.bytes().begin(), key.bytes().end());
  const std::int64_t id = Hear(Flood(PayloadType::kAdvert, payload), observer_, 0, node);
  Hear(Text(1), observer_);
  config_.node_blacklist = {KeyOf({0x11}).ToHex()};
  EXPECT_EQ(GetJson("/api/packets").at("total"), 1);
  GetJson("/api/packets/" + std::to_string(id), 404);
}

TEST_F(PacketRoutesTest, AdvertsOfABlacklistedKeyThatIsNoNodeAreNotShown) {
  const PublicKey key = KeyOf({0x11});
  const Bytes payload(key.bytes().begin(), key.bytes().end());
  Hear(Flood(PayloadType::kAdvert, payload), observer_, 0, mesh_.Identity(key));
  Hear(Text(1), observer_);
  config_.node_blacklist = {key.ToHex()};
  const Json page = GetJson("/api/packets");
  EXPECT_EQ(page.at("packets").size(), 1U);
  EXPECT_EQ(page.at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?type=4").at("total"), 0);
}

TEST(ScanSlots, TheThirdIsToldToComeAgainUntilOneIsFree) {
  ScanSlots slots;
  std::optional<ScanSlots::Lease> first(std::in_place, slots), second(std::in_place, slots);
  try {
    ScanSlots::Lease third(slots, std::chrono::milliseconds(1));
    ADD_FAILURE() << "a third slot";
  } catch (const ProblemError& problem) {
    EXPECT_EQ(problem.status(), 503);
    EXPECT_GT(problem.retry_after_seconds(), 0);
  }
  first.reset();
  ScanSlots::Lease fourth(slots, std::chrono::milliseconds(1));
}

TEST_F(PacketRoutesTest, ThePageOfAllPacketsTakesItsTotalFromTheView) {
  Hear(Text(1), observer_);
  EXPECT_EQ(GetJson("/api/packets").at("total"), 1);
  Hear(Text(2), observer_);  // and the view is not told
  EXPECT_EQ(GetJson("/api/packets").at("total"), 1);
  EXPECT_EQ(GetJson("/api/packets?type=2").at("total"), 2);
}

TEST_F(PacketRoutesTest, ABlacklistedObserverIsNotNamed) {
  Hear(Text(1), observer_);
  config_.observer_blacklist = {KeyOf({0xA1}).ToHex()};
  EXPECT_TRUE(GetJson("/api/packets").at("packets").at(0).at("observer_id").is_null());
  EXPECT_EQ(GetJson("/api/packets?observer=" + ObserverId(0xA1)).at("total"), 0);
  EXPECT_EQ(GetJson("/api/packets?region=SFO").at("total"), 0);
}

TEST_F(PacketRoutesTest, AnAnswerThatTheClientHoldsIsNotSentAgain) {
  Hear(Text(1), observer_);
  const std::string tag = *Get("/api/packets").FindHeader("ETag");
  EXPECT_EQ(Get("/api/packets", tag).status, 304);
  Hear(Text(2), observer_);
  EXPECT_EQ(Get("/api/packets", tag).status, 200);
}

}  // namespace
}  // namespace heliograph::server
