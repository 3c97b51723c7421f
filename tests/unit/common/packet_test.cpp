#include "common/packet.h"

#include <gtest/gtest.h>

#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

FrameError ErrorOf(std::string_view hex) {
  const auto packet = DecodeFrame(Hex(hex));
  EXPECT_FALSE(packet.has_value()) << hex;
  return packet.has_value() ? FrameError{} : packet.error();
}

TEST(PacketTest, GoldenFramesHaveTheirHashesAndEncodeToThemselves) {
  for (const GoldenFrame& golden : kGoldenFrames) {
    const auto packet = DecodeFrame(Hex(golden.hex));
    ASSERT_TRUE(packet.has_value()) << golden.hex;
    EXPECT_EQ(packet->Hash().ToHex(), golden.hash);
    EXPECT_EQ(ToHexUpper(EncodeFrame(*packet)), golden.hex);
  }
}

TEST(PacketTest, HeaderBitsMapToRoutesAndTypes) {
  static constexpr std::array<std::string_view, 4> kRoutes = {"TRANSPORT_FLOOD", "FLOOD", "DIRECT",
                                                              "TRANSPORT_DIRECT"};
  static constexpr std::array<std::string_view, 16> kTypes = {
      "REQ",  "RESPONSE", "TXT_MSG",   "ACK",     "ADVERT",  "GRP_TXT", "GRP_DATA", "ANON_REQ",
      "PATH", "TRACE",    "MULTIPART", "CONTROL", "UNKNOWN", "UNKNOWN", "UNKNOWN",  "RAW_CUSTOM"};
  for (unsigned header = 0; header < 64; ++header) {
    Bytes frame(8, 0);
    frame[0] = static_cast<std::uint8_t>(header);
    const auto packet = DecodeFrame(frame);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(RouteTypeName(packet->route), kRoutes[header & 3]);
    EXPECT_EQ(PayloadTypeName(packet->payload_type), kTypes[header >> 2]);
  }
}

TEST(PacketTest, OnlyTransportRoutesCarryCodes) {
  const auto scoped = DecodeFrame(Hex("142AB500000068656C6C6F"));
  ASSERT_TRUE(scoped.has_value());
  EXPECT_EQ(scoped->transport_codes, (TransportCodes{0xB52A, 0}));
  EXPECT_EQ(scoped->path_length.byte(), 0);
  EXPECT_EQ(ToHexLower(scoped->payload), "68656c6c6f");
  EXPECT_FALSE(DecodeFrame(Hex("150068656C6C6F"))->transport_codes.has_value());
}

TEST(PacketTest, FewerThanTwoBytesAreNoFrame) {
  EXPECT_EQ(ErrorOf(""), FrameError::kTooShort);
  EXPECT_EQ(ErrorOf("00"), FrameError::kTooShort);
}

TEST(PacketTest, FirmwareRuleAPayloadVersionAboveZeroIsRefused) {
  EXPECT_EQ(ErrorOf("5500AABB"), FrameError::kUnsupportedVersion);
  EXPECT_EQ(ErrorOf("FF0000000000AABB"), FrameError::kUnsupportedVersion);
}

TEST(PacketTest, TransportRouteMustHoldItsCodesAndItsPathLength) {
  EXPECT_EQ(ErrorOf("14AABBCC"), FrameError::kTransportCodesMissing);
  EXPECT_EQ(ErrorOf("14AABBCCDD"), FrameError::kPathLengthMissing);
  EXPECT_TRUE(DecodeFrame(Hex("14AABBCCDD00")).has_value());
}

TEST(PacketTest, HashSizeFourIsReservedEvenWithoutHopsAndWithAllItsBytes) {
  EXPECT_EQ(ErrorOf("11C0"), FrameError::kReservedHashSize);
  Bytes frame = Hex("12F6");
  frame.resize(2 + 4 * 54 + 10);
  EXPECT_EQ(DecodeFrame(frame).error(), FrameError::kReservedHashSize);
}

TEST(PacketTest, PathAboveSixtyFourBytesIsRefused) {
  EXPECT_EQ(ErrorOf("12BF"), FrameError::kPathTooLong);
  EXPECT_EQ(PathLength::Of(2, 33), std::nullopt);
  EXPECT_EQ(PathLength::Of(3, 22), std::nullopt);
  EXPECT_EQ(PathLength::Of(1, 63)->path_bytes(), 63u);
  EXPECT_EQ(PathLength::Of(2, 32)->path_bytes(), 64u);
  EXPECT_EQ(PathLength::Of(3, 21)->path_bytes(), 63u);
  EXPECT_EQ(PathLength::Of(1, 64), std::nullopt);
  EXPECT_EQ(PathLength::Of(4, 1), std::nullopt);
  EXPECT_EQ(PathLength::Of(0, 1), std::nullopt);
}

TEST(PacketTest, FrameThatEndsInsideItsPathIsRefused) {
  EXPECT_EQ(ErrorOf("120AAABBCCDDEE"), FrameError::kPathTruncated);
  EXPECT_EQ(ErrorOf("1542AABBCC"), FrameError::kPathTruncated);
}

TEST(PacketTest, PayloadOf184BytesIsTheLongest) {
  Bytes frame = Hex("1500");
  frame.resize(2 + 184);
  EXPECT_TRUE(DecodeFrame(frame).has_value());
  frame.resize(2 + 185);
  EXPECT_EQ(DecodeFrame(frame).error(), FrameError::kPayloadTooLong);
}

TEST(PacketTest, EmptyPayloadIsAPacket) {
  const auto packet = DecodeFrame(Hex("1500"));
  ASSERT_TRUE(packet.has_value());
  EXPECT_TRUE(packet->payload.empty());
}

TEST(PacketTest, HopsOfEverySizeAreSplitInTheOrderOnTheAir) {
  const auto hops_of = [](std::string_view hex) {
    std::vector<std::string> hops;
    for (const PathHash& hop : DecodeFrame(Hex(hex))->Hops()) hops.push_back(hop.ToHex());
    return hops;
  };
  EXPECT_EQ(hops_of("1503AABBCC00"), (std::vector<std::string>{"AA", "BB", "CC"}));
  EXPECT_EQ(hops_of("1542AABBCCDD00"), (std::vector<std::string>{"AABB", "CCDD"}));
  EXPECT_EQ(hops_of("1582AABBCCDDEEFF00"), (std::vector<std::string>{"AABBCC", "DDEEFF"}));
  EXPECT_EQ(hops_of("140000000042AABBCCDD00"), (std::vector<std::string>{"AABB", "CCDD"}));
  EXPECT_TRUE(hops_of(kFiveHopTrace).empty()) << "the path of a TRACE holds SNR values";
}

TEST(PacketTest, ZeroHopFloodKeepsItsHashSize) {
  EXPECT_EQ(DecodeFrame(Hex("114000"))->path_length.hash_size(), 2u);
  EXPECT_EQ(DecodeFrame(Hex("118000"))->path_length.hash_size(), 3u);
}

TEST(PacketTest, EveryHeaderPathLengthAndTailIsAnsweredWithoutACrash) {
  std::size_t decoded = 0;
  for (unsigned header = 0; header < 256; ++header) {
    for (unsigned path_length = 0; path_length < 256; ++path_length) {
      for (std::size_t tail = 0; tail < 20; ++tail) {
        Bytes frame(2 + tail, static_cast<std::uint8_t>(path_length));
        frame[0] = static_cast<std::uint8_t>(header);
        const auto packet = DecodeFrame(frame);
        if (!packet) continue;
        ++decoded;
        ASSERT_EQ(EncodeFrame(*packet), frame);
      }
    }
  }
  EXPECT_GT(decoded, 0u);
}

TEST(PacketTest, HashIsTheSameOnEveryRoute) {
  const std::string flood = DecodeFrame(Hex("0900D69FD7A5A747"))->Hash().ToHex();
  EXPECT_EQ(DecodeFrame(Hex("0A00D69FD7A5A747"))->Hash().ToHex(), flood);
  EXPECT_EQ(DecodeFrame(Hex("081234567842AABBCCDDD69FD7A5A747"))->Hash().ToHex(), flood);
  EXPECT_EQ(DecodeFrame(Hex("0B1234567801AAD69FD7A5A747"))->Hash().ToHex(), flood);
}

TEST(PacketTest, HashOfATraceCoversItsPathLength) {
  const Bytes payload = Hex("DEADBEEF");
  const auto hash = [&](std::uint8_t byte) {
    return HashContent(PayloadType::kTrace, *PathLength::FromByte(byte), payload).ToHex();
  };
  EXPECT_EQ(hash(2), "b1baaf3bf0d0726c");
  EXPECT_NE(hash(1), hash(2));
}

}  // namespace
}  // namespace heliograph
