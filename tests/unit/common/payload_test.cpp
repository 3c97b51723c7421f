#include "common/payload.h"

#include <gtest/gtest.h>

#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

/// The payload of `hex` as this alternative; fails the test when it is another.
template <typename T>
T Decode(PayloadType type, std::string_view hex) {
  const Payload payload = DecodePayload(type, Hex(hex));
  EXPECT_TRUE(std::holds_alternative<T>(payload)) << hex;
  EXPECT_EQ(TypeOf(payload), type);
  EXPECT_EQ(EncodePayload(payload), Hex(hex));
  return std::holds_alternative<T>(payload) ? std::get<T>(payload) : T{};
}

TEST(PayloadTest, TextNamesBothPeersByOneByte) {
  const auto packet = DecodeFrame(Hex(kDirectText));
  const auto text = std::get<TextMessage>(DecodePayload(*packet));
  EXPECT_EQ(text.destination, 0xD6);
  EXPECT_EQ(text.source, 0x9F);
  EXPECT_EQ(ToHexLower(text.sealed.mac), "d7a5");
  EXPECT_EQ(text.sealed.ciphertext.size(), 16u);
}

TEST(PayloadTest, PeerEnvelopesDifferOnlyInTheirType) {
  Decode<Request>(PayloadType::kRequest, "AABBCCDDEE");
  Decode<Response>(PayloadType::kResponse, "AABBCCDDEE");
  Decode<TextMessage>(PayloadType::kText, "AABBCCDDEE");
  EXPECT_EQ(Decode<PathReturn>(PayloadType::kPath, "AABBCCDDEE").sealed.ciphertext, Bytes{0xEE});
}

TEST(PayloadTest, PayloadsThatEndTooEarlyAreKeptAsTheyAre) {
  struct Row {
    PayloadType type;
    std::size_t shortest;
  };
  static constexpr Row kRows[] = {
      {PayloadType::kRequest, 5},   {PayloadType::kResponse, 5},  {PayloadType::kText, 5},
      {PayloadType::kAck, 4},       {PayloadType::kAdvert, 101},  {PayloadType::kGroupText, 4},
      {PayloadType::kGroupData, 4}, {PayloadType::kPath, 5},      {PayloadType::kAnonymousRequest, 36},
      {PayloadType::kTrace, 9},     {PayloadType::kMultipart, 3}, {PayloadType::kControl, 1},
      {PayloadType::kRawCustom, 1},
  };
  for (const Row& row : kRows) {
    for (std::size_t size = 0; size <= row.shortest; ++size) {
      const Bytes bytes(size);
      const Payload payload = DecodePayload(row.type, bytes);
      EXPECT_EQ(std::holds_alternative<TooShort>(payload), size < row.shortest)
          << PayloadTypeName(row.type) << " of " << size << " bytes";
      EXPECT_EQ(EncodePayload(payload), bytes);
      EXPECT_EQ(TypeOf(payload), row.type);
    }
  }
}

TEST(PayloadTest, FirmwareRuleAnEnvelopeWithoutCiphertextIsIncomplete) {
  Decode<TooShort>(PayloadType::kText, "AABBCCDD");
  Decode<TooShort>(PayloadType::kGroupText, "AABBCC");
  Decode<TooShort>(PayloadType::kMultipart, "1303");
}

TEST(PayloadTest, FirmwareRuleAnAdvertWithoutAPromisedFieldIsIncomplete) {
  Bytes payload(101, 0xAA);
  payload[100] = 0x10;
  EXPECT_TRUE(std::holds_alternative<TooShort>(DecodePayload(PayloadType::kAdvert, payload)));
}

TEST(PayloadTest, ReservedTypesAreOpaqueAndMayBeEmpty) {
  for (const PayloadType type :
       {PayloadType::kReserved12, PayloadType::kReserved13, PayloadType::kReserved14}) {
    EXPECT_EQ(Decode<Opaque>(type, "0102"), (Opaque{type, {1, 2}}));
    Decode<Opaque>(type, "");
  }
}

TEST(PayloadTest, AckTellsAttemptAndRandomByteOnlyWhenPresent) {
  const Ack plain = Decode<Ack>(PayloadType::kAck, "78563412");
  EXPECT_EQ(plain.code, 0x12345678u);
  EXPECT_EQ(plain.attempt(), std::nullopt);
  const Ack with_attempt = Decode<Ack>(PayloadType::kAck, "7856341203");
  EXPECT_EQ(with_attempt.attempt(), 3);
  EXPECT_EQ(with_attempt.random(), std::nullopt);
  EXPECT_EQ(Decode<Ack>(PayloadType::kAck, "7856341203FE").random(), 0xFE);
  EXPECT_EQ(Decode<Ack>(PayloadType::kAck, "7856341203FEAA").random(), 0xFE);
}

TEST(PayloadTest, MultipartMayHoldAnAck) {
  const Multipart part = Decode<Multipart>(PayloadType::kMultipart, "237856341203FE");
  EXPECT_EQ(part.remaining, 2);
  ASSERT_TRUE(part.InnerAck().has_value());
  EXPECT_EQ(part.InnerAck()->code, 0x12345678u);
  EXPECT_EQ(part.InnerAck()->attempt(), 3);
  EXPECT_EQ(part.InnerAck()->random(), 0xFE);
}

TEST(PayloadTest, MultipartOfAnotherTypeOrTooShortHoldsNoAck) {
  EXPECT_EQ(Decode<Multipart>(PayloadType::kMultipart, "1278563412").InnerAck(), std::nullopt);
  EXPECT_EQ(Decode<Multipart>(PayloadType::kMultipart, "13785634").InnerAck(), std::nullopt);
}

TEST(PayloadTest, AnonymousRequestNamesItsSender) {
  const auto request =
      Decode<AnonymousRequest>(PayloadType::kAnonymousRequest, "D6" + std::string(64, 'A') + "BEEF01");
  EXPECT_EQ(request.destination, 0xD6);
  EXPECT_EQ(request.sender.ToHex(), std::string(64, 'a'));
  EXPECT_EQ(request.sealed.ciphertext, Bytes{1});
}

TEST(PayloadTest, DiscoverRequestMayTellSince) {
  const auto plain = Decode<DiscoverRequest>(PayloadType::kControl, "800478563412");
  EXPECT_FALSE(plain.prefix_only());
  EXPECT_EQ(plain.type_filter, 4);
  EXPECT_EQ(plain.tag, 0x12345678u);
  EXPECT_EQ(plain.since, std::nullopt);
  const auto since = Decode<DiscoverRequest>(PayloadType::kControl, "81047856341200F15365");
  EXPECT_TRUE(since.prefix_only());
  EXPECT_EQ(since.since, 1700000000u);
  EXPECT_EQ(Decode<DiscoverRequest>(PayloadType::kControl, "810478563412AABBCC").since, std::nullopt);
}

TEST(PayloadTest, DiscoverResponseHoldsAKeyAPrefixOrNeither) {
  const std::string head = "92F478563412";
  const auto whole = Decode<DiscoverResponse>(PayloadType::kControl, head + std::string(64, 'A'));
  EXPECT_EQ(whole.node_type, NodeType::kRepeater);
  EXPECT_EQ(whole.snr_quarter_db, -12);
  EXPECT_EQ(whole.public_key()->ToHex(), std::string(64, 'a'));
  const auto prefix = Decode<DiscoverResponse>(PayloadType::kControl, head + std::string(16, 'B'));
  EXPECT_EQ(prefix.public_key(), std::nullopt);
  EXPECT_EQ(ToHexLower(prefix.KeyOrPrefix()), std::string(16, 'b'));
  EXPECT_TRUE(Decode<DiscoverResponse>(PayloadType::kControl, head + "BBBBBB").KeyOrPrefix().empty());
}

TEST(PayloadTest, OtherControlsAndShortOnesKeepTheirBytes) {
  EXPECT_EQ(Decode<OtherControl>(PayloadType::kControl, "A1B2C3").first_byte, 0xA1);
  EXPECT_EQ(Decode<OtherControl>(PayloadType::kControl, "8004785634").body.size(), 4u);
  EXPECT_EQ(Decode<OtherControl>(PayloadType::kControl, "92").first_byte, 0x92);
}

TEST(PayloadTest, TraceRouteIsSplitByTheSizeInItsFlags) {
  const auto hops_of = [](std::string_view hex) {
    std::vector<std::string> hops;
    for (const Bytes& hop : Decode<Trace>(PayloadType::kTrace, hex).Hops()) hops.push_back(ToHexUpper(hop));
    return hops;
  };
  const std::string head = "0102030405060708";
  EXPECT_EQ(hops_of(head + "00AABBCC"), (std::vector<std::string>{"AA", "BB", "CC"}));
  EXPECT_EQ(hops_of(head + "01AABBCCDDEE"), (std::vector<std::string>{"AABB", "CCDD"}));
  EXPECT_EQ(hops_of(head + "02AABBCCDD"), (std::vector<std::string>{"AABBCCDD"}));
  EXPECT_EQ(hops_of(head + "030011223344556677"), (std::vector<std::string>{"0011223344556677"}));
  EXPECT_EQ(hops_of(head + "FC01"), (std::vector<std::string>{"01"})) << "only two bits tell the size";
  EXPECT_TRUE(hops_of(head + "00").empty());
}

TEST(PayloadTest, TracePathHoldsWhatEachHopHeard) {
  const auto packet = DecodeFrame(Hex(kTwoHopTrace));
  EXPECT_EQ(TraceSnrQuarterDb(*packet), (std::vector<std::int8_t>{47, -8}));
  const auto trace = std::get<Trace>(DecodePayload(*packet));
  EXPECT_EQ(trace.tag, 0xA8236A11u);
  EXPECT_EQ(trace.auth_code, 0u);
  EXPECT_TRUE(TraceSnrQuarterDb(*DecodeFrame(Hex(kPublicChannelText))).empty());
}

TEST(PayloadTest, GoldenTraceOfAnotherTool) {
  const auto packet = DecodeFrame(Hex("260130A24D89BD0000000000FB"));
  EXPECT_EQ(TraceSnrQuarterDb(*packet), (std::vector<std::int8_t>{48}));
  EXPECT_EQ(std::get<Trace>(DecodePayload(*packet)).Hops(), (std::vector<Bytes>{{0xFB}}));
  EXPECT_TRUE(IsRegularTrace(*packet));
}

TEST(PayloadTest, TraceOnAFloodOrWithSizeBitsIsIrregular) {
  EXPECT_FALSE(IsRegularTrace(*DecodeFrame(Hex(kShortTrace))));
  EXPECT_FALSE(IsRegularTrace(*DecodeFrame(Hex("2640DEADBEEF"))));
}

TEST(PayloadTest, GoldenFramesOfAnotherTool) {
  const auto text = DecodeFrame(Hex("09046F17C47ED00A13E16AB5B94B1CC2D1A5059C6E5A6253C60D"));
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->path_length.hash_count(), 4u);
  EXPECT_TRUE(std::holds_alternative<TextMessage>(DecodePayload(*text)));
  EXPECT_TRUE(std::holds_alternative<Opaque>(DecodePayload(*DecodeFrame(Hex("3100")))));
  EXPECT_FALSE(DecodeFrame(Hex("00")).has_value());
}

}  // namespace
}  // namespace heliograph
