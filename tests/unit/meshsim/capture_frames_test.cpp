#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/advert.h"
#include "common/channel_crypto.h"
#include "common/region_scope.h"
#include "tests/unit/meshsim/small_capture.h"

namespace heliograph::meshsim {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::IsSupersetOf;

TEST(CaptureFrames, EveryFrameDecodesAndTheStatedHashIsItsOwn) {
  int hashes = 0;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    EXPECT_EQ(captured.packet.path.size(), captured.packet.path_length.path_bytes());
    if (!captured.payload.contains("hash")) continue;
    ++hashes;
    EXPECT_EQ(captured.payload.at("hash"), ToHexUpper(captured.packet.Hash().bytes()));
  }
  EXPECT_GT(hashes, 1000);
}

TEST(CaptureFrames, EveryAdvertIsSignedByItsNodeAndPlausible) {
  std::set<Bytes> verified;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (captured.packet.payload_type != PayloadType::kAdvert) continue;
    if (!verified.insert(captured.packet.payload).second) continue;
    const auto advert = DecodeAdvert(captured.packet.payload);
    ASSERT_TRUE(advert.has_value());
    EXPECT_TRUE(VerifySignature(*advert));
    EXPECT_EQ(FindImplausibility(*advert), std::nullopt);
  }
  EXPECT_GT(verified.size(), 20u);
}

TEST(CaptureFrames, TextOnKnownChannelsDecryptsToItsSender) {
  KeyRing ring = KeyRing::WithPublic();
  for (const char* name : {"#test", "#meshhelp", "#bot"})
    ring.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag(name));
  std::set<std::string> names, channels;
  for (const auto& node : UsualCapture().truth.at("nodes")) names.insert(node.at("name").get<std::string>());
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (captured.packet.payload_type != PayloadType::kGroupText) continue;
    const auto payload = DecodePayload(captured.packet);
    const auto message = DecryptGroupText(ring, std::get<GroupText>(payload));
    channels.insert(message ? message->channel : "");
    if (!message) continue;
    EXPECT_TRUE(names.contains(message->sender.value_or("")));
  }
  EXPECT_THAT(channels, IsSupersetOf({"", "Public", "#test", "#meshhelp"}));
}

TEST(CaptureFrames, ScopedFloodsCarryTheCodeOfARegion) {
  std::vector<std::string> names;
  for (const auto& region : UsualCapture().truth.at("regions")) names.push_back(region.at("scope"));
  const RegionScopes scopes(names);
  int scoped = 0;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (captured.packet.route != RouteType::kTransportFlood) continue;
    ++scoped;
    EXPECT_THAT(names, Contains(scopes.Match(captured.packet).value_or("none")));
  }
  EXPECT_GT(scoped, 0);
}

TEST(CaptureFrames, SharedAdvertsAreUnscopedAndHaveNoPath) {
  int shared = 0;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (captured.packet.route != RouteType::kTransportDirect) continue;
    ++shared;
    EXPECT_EQ(captured.packet.payload_type, PayloadType::kAdvert);
    EXPECT_EQ(captured.packet.transport_codes, TransportCodes{});
    EXPECT_EQ(captured.packet.path_length.byte(), 0);
  }
  EXPECT_GT(shared, 0);
}

TEST(CaptureFrames, ZeroHopDirectAdvertsSayNothingOfTheHashSize) {
  Options options = SmallOptions();
  options.advert_share = 0.9;
  int zero_hop = 0;
  for (const CapturedPacket& captured : Generate(options).Packets()) {
    if (captured.packet.payload_type != PayloadType::kAdvert || captured.packet.route != RouteType::kDirect)
      continue;
    ++zero_hop;
    EXPECT_EQ(captured.packet.path_length.byte(), 0);
  }
  EXPECT_GT(zero_hop, 0);
}

TEST(CaptureFrames, TopicsNameARegionAndAnObserver) {
  const std::regex form("meshcore/(SFO|SAC)/[0-9A-F]{64}/(packets|status)");
  std::set<std::string> levels;
  for (const std::string& line : UsualCapture().lines) {
    const auto topic = nlohmann::json::parse(line).at("topic").get<std::string>();
    EXPECT_TRUE(std::regex_match(topic, form)) << topic;
    levels.insert(topic.substr(topic.rfind('/') + 1));
  }
  EXPECT_THAT(levels, testing::ElementsAre("packets", "status"));
}

TEST(CaptureFrames, DialectsDifferInTheirNumbers) {
  std::set<std::string> kinds;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    const auto& payload = captured.payload;
    kinds.insert(payload.at("len").type_name());
    if (payload.at("direction") == "tx") kinds.insert("tx");
    if (payload.contains("SNR") && payload.at("SNR") == "Unknown") kinds.insert("unknown");
    if (!payload.at("timestamp").get<std::string>().ends_with("+00:00")) kinds.insert("naive");
  }
  EXPECT_THAT(kinds, AllOf(Contains("string"), Contains("tx"), Contains("unknown"), Contains("naive")));
}

}  // namespace
}  // namespace heliograph::meshsim
