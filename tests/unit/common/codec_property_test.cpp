#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "common/channel_crypto.h"
#include "common/crypto.h"
#include "common/packet_json.h"
#include "common/payload.h"
#include "common/text.h"
#include "common/time.h"

namespace heliograph {
namespace {

rc::Gen<Bytes> AnyBytes(std::size_t min, std::size_t max) {
  return rc::gen::mapcat(rc::gen::inRange(min, max + 1), [](std::size_t size) {
    return rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
  });
}

PathLength PickPathLength() {
  const auto size = *rc::gen::inRange<std::size_t>(1, 4);
  const auto count = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(63, 64 / size) + 1);
  return *PathLength::Of(size, count);
}

Packet PickPacket() {
  Packet packet;
  packet.route = static_cast<RouteType>(*rc::gen::inRange(0, 4));
  packet.payload_type = static_cast<PayloadType>(*rc::gen::inRange(0, 16));
  if (HasTransportCodes(packet.route)) {
    packet.transport_codes =
        TransportCodes{*rc::gen::arbitrary<std::uint16_t>(), *rc::gen::arbitrary<std::uint16_t>()};
  }
  packet.path_length = PickPathLength();
  packet.path = *AnyBytes(packet.path_length.path_bytes(), packet.path_length.path_bytes());
  packet.payload = *AnyBytes(0, Packet::kMaxPayload);
  return packet;
}

Ed25519KeyPair PickKeys() {
  std::array<std::uint8_t, 32> seed{};
  const Bytes bytes = *AnyBytes(32, 32);
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  return Ed25519KeyPair(seed);
}

/// Text of printable characters of one to four bytes.
std::string PickText(std::size_t max_characters) {
  const auto characters = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a", "Z", "7", " ", "-", "é", "€", "🌳"));
  std::string text;
  for (std::size_t i = 0; i < std::min(characters.size(), max_characters); ++i) text += characters[i];
  return text;
}

Sealed PickSealed() {
  const Bytes mac = *AnyBytes(2, 2);
  return {{mac[0], mac[1]}, *AnyBytes(1, 64)};
}

/// The payload as it comes back from the air.
template <typename T>
void CheckSurvives(const T& payload) {
  const Payload sent(payload);
  RC_ASSERT(DecodePayload(TypeOf(sent), EncodePayload(sent)) == sent);
}

TEST(CodecProperty, AnyPacketSurvivesEncodingAndDecoding) {
  EXPECT_TRUE(rc::check([] {
    const Packet packet = PickPacket();
    RC_ASSERT(DecodeFrame(EncodeFrame(packet)) == packet);
  }));
}

TEST(CodecProperty, AnyFrameThatDecodesEncodesToItself) {
  EXPECT_TRUE(rc::check([] {
    Bytes frame = *AnyBytes(0, 255);
    if (!frame.empty()) frame[0] &= 0x3F;
    const auto packet = DecodeFrame(frame);
    RC_CLASSIFY(packet.has_value());
    if (packet) RC_ASSERT(EncodeFrame(*packet) == frame);
  }));
}

TEST(CodecProperty, AnyPayloadOfAnyTypeEncodesToItself) {
  EXPECT_TRUE(rc::check([] {
    const Packet packet = PickPacket();
    const Payload payload = DecodePayload(packet);
    RC_ASSERT(EncodePayload(payload) == packet.payload);
    RC_ASSERT(TypeOf(payload) == packet.payload_type);
  }));
}

TEST(CodecProperty, EnvelopesSurvive) {
  EXPECT_TRUE(rc::check([] {
    const auto byte = *rc::gen::arbitrary<std::uint8_t>(), other = *rc::gen::arbitrary<std::uint8_t>();
    CheckSurvives(Request{{byte, other, PickSealed()}});
    CheckSurvives(Response{{byte, other, PickSealed()}});
    CheckSurvives(TextMessage{{byte, other, PickSealed()}});
    CheckSurvives(PathReturn{{byte, other, PickSealed()}});
    CheckSurvives(GroupText{{byte, PickSealed()}});
    CheckSurvives(GroupData{{byte, PickSealed()}});
    CheckSurvives(AnonymousRequest{byte, PickKeys().public_key(), PickSealed()});
  }));
}

TEST(CodecProperty, OpenPayloadsSurvive) {
  EXPECT_TRUE(rc::check([] {
    const auto number = *rc::gen::arbitrary<std::uint32_t>(), other = *rc::gen::arbitrary<std::uint32_t>();
    const auto byte = *rc::gen::arbitrary<std::uint8_t>();
    const auto nibble = static_cast<std::uint8_t>(byte & 0x0F);
    CheckSurvives(Ack{number, *AnyBytes(0, 4)});
    CheckSurvives(Trace{number, other, byte, *AnyBytes(0, 64)});
    CheckSurvives(Multipart{nibble, static_cast<PayloadType>(byte >> 4), *AnyBytes(2, 40)});
    CheckSurvives(DiscoverRequest{nibble, byte, number, std::nullopt, *AnyBytes(0, 3)});
    CheckSurvives(DiscoverRequest{nibble, byte, number, other, *AnyBytes(0, 9)});
    CheckSurvives(DiscoverResponse{static_cast<NodeType>(nibble), static_cast<std::int8_t>(byte), number,
                                   *AnyBytes(0, 40)});
    CheckSurvives(OtherControl{static_cast<std::uint8_t>(byte & 0x7F), *AnyBytes(0, 40)});
    CheckSurvives(RawCustom{*AnyBytes(1, 40)});
    CheckSurvives(Opaque{PayloadType::kReserved14, *AnyBytes(0, 40)});
  }));
}

TEST(CodecProperty, SignedAdvertsSurviveAndVerify) {
  EXPECT_TRUE(rc::check([] {
    const Ed25519KeyPair keys = PickKeys();
    const auto type = static_cast<NodeType>(*rc::gen::inRange(0, 16));
    const int latitude = *rc::gen::inRange(-90000000, 90000001);
    const int longitude = *rc::gen::inRange(-180000000, 180000001);
    const std::string name = PickText(12);
    Advert advert;
    advert.public_key = keys.public_key();
    advert.timestamp = *rc::gen::arbitrary<std::uint32_t>();
    advert.app_data = EncodeAdvertAppData(type, {{latitude * 1e-6, longitude * 1e-6}}, name);
    const Bytes signature = keys.Sign(SignedPart(advert));
    std::copy(signature.begin(), signature.end(), advert.signature.begin());

    const auto decoded = DecodeAdvert(EncodeAdvert(advert));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(VerifySignature(*decoded));
    RC_ASSERT(decoded->type == type);
    RC_ASSERT(decoded->timestamp == advert.timestamp);
    RC_ASSERT(std::abs(*decoded->latitude - latitude * 1e-6) < 1e-9);
    RC_ASSERT(std::abs(*decoded->longitude - longitude * 1e-6) < 1e-9);
    RC_ASSERT(decoded->name.value_or("") == TruncateUtf8(name, 23));
    RC_ASSERT(FindImplausibility(*decoded) == std::nullopt);
    RC_ASSERT(EncodeAdvert(*decoded) == EncodeAdvert(advert));
  }));
}

TEST(CodecProperty, AdvertNamesAreCleanWhateverTheBytes) {
  EXPECT_TRUE(rc::check([] {
    Advert advert;
    advert.app_data = *AnyBytes(1, 84);
    advert.app_data[0] = 0x81;
    const auto decoded = DecodeAdvert(EncodeAdvert(advert));
    RC_ASSERT(decoded.has_value());
    const std::string name = decoded->name.value_or("");
    RC_CLASSIFY(!name.empty());
    RC_ASSERT(IsValidUtf8(name));
    RC_ASSERT(name.size() <= 32u);
    RC_ASSERT(ToPrintable(name) == name);
  }));
}

TEST(CodecProperty, ChannelMessagesAreReadByThoseWithTheKey) {
  EXPECT_TRUE(rc::check([] {
    const auto key =
        ChannelKey::FromBytes("ours", *AnyBytes(1, 1) == Bytes{0} ? *AnyBytes(16, 16) : *AnyBytes(32, 32));
    KeyRing ring = KeyRing::WithPublic();
    ring.Add(KeyOrigin::kConfigured, *key);
    const std::string sender = PickText(10);
    GroupMessage message{"ours", *rc::gen::arbitrary<std::uint32_t>(), std::nullopt, PickText(60)};
    if (!sender.empty()) message.sender = sender;
    RC_ASSERT(DecryptGroupText(ring, EncryptGroupText(*key, message)) == message);
  }));
}

TEST(CodecProperty, ChannelDatagramsAreReadByThoseWithTheKey) {
  EXPECT_TRUE(rc::check([] {
    const ChannelKey key = ChannelKey::ForHashtag("#" + PickText(10));
    KeyRing ring;
    ring.Add(KeyOrigin::kHashtag, key);
    const GroupDatagram datagram{key.name(), *rc::gen::arbitrary<std::uint16_t>(), *AnyBytes(0, 165)};
    RC_ASSERT(DecryptGroupData(ring, EncryptGroupData(key, datagram)) == datagram);
  }));
}

TEST(CodecProperty, HashIgnoresRouteAndPathExceptForATrace) {
  EXPECT_TRUE(rc::check([] {
    const Packet packet = PickPacket();
    Packet elsewhere = PickPacket();
    elsewhere.payload_type = packet.payload_type;
    elsewhere.payload = packet.payload;
    const bool same_hash = elsewhere.Hash() == packet.Hash();
    const bool is_trace = packet.payload_type == PayloadType::kTrace;
    RC_ASSERT(same_hash == (!is_trace || elsewhere.path_length == packet.path_length));
  }));
}

TEST(CodecProperty, HashTellsPayloadsApart) {
  EXPECT_TRUE(rc::check([] {
    Packet packet = PickPacket();
    RC_PRE(!packet.payload.empty());
    const ContentHash before = packet.Hash();
    packet.payload[*rc::gen::inRange<std::size_t>(0, packet.payload.size())] ^= 1;
    RC_ASSERT(packet.Hash() != before);
  }));
}

TEST(CodecProperty, AnyPacketHasAJsonThatParsesAgain) {
  const KeyRing keys = KeyRing::WithPublic();
  EXPECT_TRUE(rc::check([&] {
    const auto json = PacketToJson(PickPacket(), {&keys, true});
    RC_ASSERT(nlohmann::ordered_json::parse(json.dump()) == json);
  }));
}

TEST(CodecProperty, AnyMomentSurvivesItsText) {
  EXPECT_TRUE(rc::check([] {
    const UtcMillis time(std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 253402300800000)));
    const auto parsed = ParseTime(FormatTime(time));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->time == time);
  }));
}

TEST(CodecProperty, RandomTextIsNoReasonToCrash) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    ParseTime(text);
    RC_ASSERT(IsValidUtf8(ToValidUtf8(text)));
    RC_ASSERT(IsValidUtf8(text) == (ToValidUtf8(text) == text));
    RC_ASSERT(text.starts_with(TruncateUtf8(text, text.size() / 2)));
  }));
}

}  // namespace
}  // namespace heliograph
