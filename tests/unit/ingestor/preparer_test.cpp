#include "ingestor/preparer.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/channel_crypto.h"

namespace heliograph::ingestor {
namespace {

const std::string kId = "5B9839E58AE312ECC8624A8F374CF57A1B5B631FB00EC0124C9AB9DE2BE9F229";

Receipt MessageWith(const std::string& hex) {
  Receipt receipt;
  receipt.topic = "meshcore/SFO/" + kId + "/packets";
  receipt.payload = "{\"raw\":\"" + hex + "\"}";
  return receipt;
}
Receipt MessageWith(const Packet& packet) {
  return MessageWith(ToHexUpper(EncodeFrame(packet)));
}

Packet PacketOf(PayloadType type, Bytes payload) {
  Packet packet;
  packet.payload_type = type;
  packet.payload = std::move(payload);
  return packet;
}

Advert SignedAdvert(std::string_view name = "Hilltop", double latitude = 37, double longitude = -122) {
  const Ed25519KeyPair pair({1, 2, 3});
  Advert advert;
  advert.public_key = pair.public_key();
  advert.timestamp = 1700000000;
  advert.app_data = EncodeAdvertAppData(NodeType::kRepeater, std::pair(latitude, longitude), name);
  const Bytes signature = pair.Sign(SignedPart(advert));
  std::copy(signature.begin(), signature.end(), advert.signature.begin());
  return advert;
}
Receipt AdvertMessage(const Advert& advert) {
  return MessageWith(PacketOf(PayloadType::kAdvert, EncodeAdvert(advert)));
}

Prepared PrepareWith(Preparer::Settings settings, const Receipt& receipt) {
  Preparer preparer(std::move(settings));
  return preparer.Prepare(receipt);
}
std::optional<DropReason> DropOf(const Prepared& prepared) {
  const auto* drop = std::get_if<PreparedDrop>(&prepared);
  return drop == nullptr ? std::nullopt : std::optional(drop->reason);
}

TEST(PreparerTest, TakesAFrameApart) {
  const Prepared prepared =
      PrepareWith({}, MessageWith("09046F17C47ED00A13E16AB5B94B1CC2D1A5059C6E5A6253C60D"));
  const auto& packet = std::get<PreparedPacket>(prepared);
  EXPECT_EQ(packet.packet.payload_type, PayloadType::kText);
  EXPECT_EQ(packet.packet.path_length.hash_count(), 4U);
  EXPECT_EQ(packet.hash, packet.packet.Hash());
  EXPECT_FALSE(packet.advert || packet.channel || packet.scope);
}

TEST(PreparerTest, RefusesWhatTheFirmwareWouldNotTake) {
  for (const char* frame : {"00", "4900", "05FF"}) {
    const Prepared prepared = PrepareWith({}, MessageWith(frame));
    ASSERT_EQ(DropOf(prepared), DropReason::kInvalidFrame) << frame;
    EXPECT_FALSE(std::get<PreparedDrop>(prepared).raw.empty());
    EXPECT_TRUE(std::get<PreparedDrop>(prepared).observer);
  }
}

TEST(PreparerTest, AGoodAdvertIsDecoded) {
  const Prepared prepared = PrepareWith({}, AdvertMessage(SignedAdvert()));
  const auto& packet = std::get<PreparedPacket>(prepared);
  ASSERT_TRUE(packet.advert);
  EXPECT_EQ(packet.advert->name, "Hilltop");
  EXPECT_FALSE(packet.outside_geo_filter);
}

TEST(PreparerTest, ABadSignatureIsRefusedWithAllThatIsKnown) {
  Advert advert = SignedAdvert();
  advert.timestamp ^= 1;
  const Prepared prepared = PrepareWith({}, AdvertMessage(advert));
  ASSERT_EQ(DropOf(prepared), DropReason::kInvalidSignature);
  const auto& drop = std::get<PreparedDrop>(prepared);
  EXPECT_EQ(drop.node, advert.public_key);
  EXPECT_EQ(drop.node_name, "Hilltop");
  EXPECT_TRUE(drop.hash && drop.observer && !drop.raw.empty());

  Preparer::Settings trusting;
  trusting.validate_signatures = false;
  EXPECT_EQ(DropOf(PrepareWith(trusting, AdvertMessage(advert))), std::nullopt);
}

TEST(PreparerTest, AnAdvertThatTheFirmwareCallsInvalidIsRefused) {
  const Bytes whole = EncodeAdvert(SignedAdvert());
  const Bytes shorter(whole.begin(), whole.begin() + 99);
  const Bytes truncated(whole.begin(), whole.begin() + 103);
  for (const Bytes& payload : {shorter, truncated}) {
    EXPECT_EQ(DropOf(PrepareWith({}, MessageWith(PacketOf(PayloadType::kAdvert, payload)))),
              DropReason::kInvalidAdvert);
  }
  EXPECT_EQ(DropOf(PrepareWith({}, AdvertMessage(SignedAdvert("off", 91, 0)))), DropReason::kInvalidAdvert);
  Advert zero = SignedAdvert();
  zero.public_key = PublicKey();
  EXPECT_EQ(DropOf(PrepareWith({}, AdvertMessage(zero))), DropReason::kInvalidAdvert);
}

TEST(PreparerTest, ASignatureIsVerifiedOnceForEachContent) {
  std::atomic<int> verified = 0;
  Preparer::Settings settings;
  settings.verify = [&](const Advert& advert) {
    ++verified;
    return VerifySignature(advert);
  };
  Preparer preparer(std::move(settings));
  Advert bad = SignedAdvert();
  bad.signature[0] ^= 1;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(DropOf(preparer.Prepare(AdvertMessage(SignedAdvert()))), std::nullopt);
        EXPECT_EQ(DropOf(preparer.Prepare(AdvertMessage(bad))), DropReason::kInvalidSignature);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(verified, 2);
}

TEST(PreparerTest, AForeignAdvertIsFlaggedOrDropped) {
  Preparer::Settings settings;
  settings.geo_filter.box = GeoBox{40, 50, 0, 10};
  const Receipt message = AdvertMessage(SignedAdvert());
  EXPECT_TRUE(std::get<PreparedPacket>(PrepareWith(settings, message)).outside_geo_filter);
  EXPECT_FALSE(std::get<PreparedPacket>(PrepareWith(settings, AdvertMessage(SignedAdvert("in", 45, 5))))
                   .outside_geo_filter);
  settings.foreign_adverts = ForeignAdverts::kDrop;
  EXPECT_EQ(DropOf(PrepareWith(settings, message)), DropReason::kOutsideGeoFilter);
}

TEST(PreparerTest, NamesTheChannelOfAGroupPacket) {
  Config config;
  config.hash_channels = {"test"};
  Preparer preparer(*Preparer::SettingsOf(config, {}));
  const auto channel_of = [&](const ChannelKey& key) {
    const Payload payload = EncryptGroupText(key, {key.name(), 5, "me", "hello"});
    const Packet packet = PacketOf(PayloadType::kGroupText, EncodePayload(payload));
    return std::get<PreparedPacket>(preparer.Prepare(MessageWith(packet))).channel;
  };
  EXPECT_EQ(channel_of(ChannelKey::ForHashtag("#test")), "#test");
  EXPECT_EQ(channel_of(ChannelKey::Public()), "Public");
  EXPECT_EQ(channel_of(ChannelKey::ForHashtag("#belgium")), "enc_D9") << "the same hash byte as #test";
  EXPECT_EQ(channel_of(ChannelKey::ForHashtag("#LongFast")), "enc_7D");
}

TEST(PreparerTest, NamesTheScopeOfATransportPacket) {
  Config config;
  config.hash_regions = {"#test"};
  Preparer preparer(*Preparer::SettingsOf(config, {}));
  const auto scope_of = [&](const char* hex) {
    return std::get<PreparedPacket>(preparer.Prepare(MessageWith(hex))).scope;
  };
  EXPECT_EQ(scope_of("142AB500000068656C6C6F"), "#test");
  EXPECT_EQ(scope_of("144A7500000068656C6C6F"), "") << "#belgium is not configured";
  EXPECT_EQ(scope_of("14000000000068656C6C6F"), std::nullopt);
  EXPECT_EQ(scope_of("150068656C6C6F"), std::nullopt);
}

TEST(PreparerTest, AWrongChannelKeyIsAnErrorThatNamesIt) {
  Config config;
  config.channel_keys["#x"] = "abc";
  const auto settings = Preparer::SettingsOf(config, {});
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().find("#x"), std::string::npos);
}

TEST(RecentResultsTest, ForgetsTheOldest) {
  RecentResults<int, int> results(1);
  int computed = 0;
  const auto get = [&](int key) {
    return results.Get(key, [&] {
      ++computed;
      return key;
    });
  };
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(get(i), i);
  EXPECT_EQ(computed, 1000);
  EXPECT_EQ(get(999), 999);
  EXPECT_EQ(computed, 1000);
  get(0);
  EXPECT_EQ(computed, 1001);
}

}  // namespace
}  // namespace heliograph::ingestor
