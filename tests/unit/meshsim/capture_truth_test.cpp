#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "common/path_hash.h"
#include "tests/unit/meshsim/small_capture.h"

namespace heliograph::meshsim {
namespace {

using ObservationKey = std::tuple<ContentHash, std::string, std::uint8_t, Bytes>;

ObservationKey KeyOf(const CapturedPacket& captured) {
  return {captured.packet.Hash(), captured.observer, captured.packet.path_length.byte(),
          captured.packet.path};
}

bool IsMultibyteFlood(const Packet& packet) {
  return IsFlood(packet.route) && packet.path_length.hash_size() > 1;
}

void ExpectSummaryMatchesLines(const SmallCapture& capture) {
  std::set<ContentHash> transmissions, adverts;
  std::set<Bytes> advertisers;
  std::set<ObservationKey> observations;
  const auto packets = capture.Packets();
  for (const CapturedPacket& captured : packets) {
    transmissions.insert(captured.packet.Hash());
    observations.insert(KeyOf(captured));
    if (captured.packet.payload_type != PayloadType::kAdvert) continue;
    adverts.insert(captured.packet.Hash());
    advertisers.emplace(captured.packet.payload.begin(), captured.packet.payload.begin() + 32);
  }
  const auto& summary = capture.truth.at("summary");
  EXPECT_EQ(summary.at("messages"), capture.lines.size());
  EXPECT_EQ(summary.at("packet_messages"), packets.size());
  EXPECT_EQ(summary.at("transmissions"), transmissions.size());
  EXPECT_EQ(summary.at("observations"), observations.size());
  EXPECT_EQ(summary.at("adverts"), adverts.size());
  EXPECT_EQ(summary.at("nodes_advertised"), advertisers.size());
}

TEST(CaptureTruth, TheSameArgumentsGiveTheSameBytes) {
  const SmallCapture again = Generate(SmallOptions());
  EXPECT_EQ(again.lines, UsualCapture().lines);
  EXPECT_EQ(again.truth, UsualCapture().truth);
}

TEST(CaptureTruth, AnotherSeedGivesAnotherMesh) {
  Options options = SmallOptions();
  options.seed = 8;
  const SmallCapture other = Generate(options);
  EXPECT_NE(other.truth.at("nodes").at(0).at("public_key"),
            UsualCapture().truth.at("nodes").at(0).at("public_key"));
}

TEST(CaptureTruth, TheSummaryAgreesWithARecountOfTheLines) {
  ExpectSummaryMatchesLines(UsualCapture());
}

TEST(CaptureTruth, TheSummaryAgreesWhereverTheCaptureIsCut) {
  for (const std::uint64_t messages : {1u, 17u, 333u, 1234u}) {
    Options options = SmallOptions();
    options.messages = messages;
    const SmallCapture capture = Generate(options);
    EXPECT_EQ(capture.lines.size(), messages);
    ExpectSummaryMatchesLines(capture);
  }
}

TEST(CaptureTruth, SomeMessagesArriveTwice) {
  const auto& summary = UsualCapture().truth.at("summary");
  EXPECT_LT(summary.at("observations"), summary.at("packet_messages"));
}

TEST(CaptureTruth, LinesAreInTheOrderOfTheirReceipt) {
  std::string last;
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    EXPECT_LE(last, captured.received_at);
    last = captured.received_at;
  }
}

TEST(CaptureTruth, EachHopOfAMultibyteFloodHadTheFirmwareByThen) {
  std::size_t hops = 0;
  const auto& nodes = UsualCapture().truth.at("nodes");
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (!IsMultibyteFlood(captured.packet)) continue;
    for (const PathHash& hop : captured.packet.Hops()) {
      ++hops;
      const bool possible = std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
        if (!hop.Matches(*PublicKey::FromHex(node.at("public_key").template get<std::string>())))
          return false;
        const auto& since = node.at("firmware_multibyte_since");
        return node.at("relays") && since.is_string() &&
               ParseTime(since.template get<std::string>())->time <= ParseTime(captured.received_at)->time;
      });
      EXPECT_TRUE(possible) << hop.ToHex();
    }
  }
  EXPECT_GT(hops, 50u);
}

TEST(CaptureTruth, RelayedMultibyteCountsAreThoseOfTheLines) {
  std::map<std::string, std::uint64_t> by_key;
  std::set<ObservationKey> counted;
  const auto& nodes = UsualCapture().truth.at("nodes");
  for (const CapturedPacket& captured : UsualCapture().Packets()) {
    if (!IsMultibyteFlood(captured.packet) || !counted.insert(KeyOf(captured)).second) continue;
    for (const PathHash& hop : captured.packet.Hops()) {
      for (const auto& node : nodes) {
        const auto key = node.at("public_key").get<std::string>();
        if (hop.Matches(*PublicKey::FromHex(key))) ++by_key[key];
      }
    }
  }
  for (const auto& node : nodes) {
    const auto key = node.at("public_key").get<std::string>();
    EXPECT_EQ(node.at("relayed_multibyte_heard"), by_key[key]) << key;
  }
}

TEST(CaptureTruth, TheMeanOfObservationsMeetsItsAim) {
  for (const double aim : {1.0, 4.6, 16.0}) {
    Options options = SmallOptions();
    options.observers.reset();
    options.observation_aim = aim;
    options.messages = 8000;
    const auto summary = Generate(options).truth.at("summary");
    const double mean = summary.at("observations").get<double>() / summary.at("transmissions").get<double>();
    EXPECT_NEAR(mean, aim, 0.1 * aim);
  }
}

TEST(CaptureTruth, TheShareOfAdvertsMeetsItsAim) {
  Options options = SmallOptions();
  options.advert_share = 0.5;
  const auto summary = Generate(options).truth.at("summary");
  EXPECT_NEAR(summary.at("adverts").get<double>() / summary.at("transmissions").get<double>(), 0.5, 0.06);
}

TEST(CaptureTruth, AllNodesLegacyMeansNoMultibyteFlood) {
  Options options = SmallOptions();
  options.legacy_share = 1;
  options.upgrades_per_day = 0;
  const SmallCapture capture = Generate(options);
  for (const CapturedPacket& captured : capture.Packets()) EXPECT_FALSE(IsMultibyteFlood(captured.packet));
  for (const auto& node : capture.truth.at("nodes")) EXPECT_FALSE(node.at("firmware_multibyte"));
}

}  // namespace
}  // namespace heliograph::meshsim
