#include "common/packet_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/channel_crypto.h"
#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

using Json = nlohmann::ordered_json;

Json JsonOf(std::string_view frame_hex, const PacketJsonOptions& options = {}) {
  return PacketToJson(*DecodeFrame(Hex(frame_hex)), options);
}

/// The payload's JSON of a flood packet of this type.
Json PayloadOf(PayloadType type, std::string_view payload_hex) {
  Packet packet;
  packet.payload_type = type;
  packet.payload = Hex(payload_hex);
  return PayloadToJson(packet);
}

TEST(PacketJsonTest, TellsHeaderPathAndPayload) {
  EXPECT_EQ(JsonOf("1542AABBCCDD113BD801020304"), Json::parse(R"({
    "header": {"routeType": 1, "routeTypeName": "FLOOD", "payloadType": 5, "payloadTypeName": "GRP_TXT",
               "payloadVersion": 0},
    "path": {"hashSize": 2, "hashCount": 2, "hops": ["AABB", "CCDD"]},
    "payload": {"type": "GRP_TXT", "channelHash": 17, "channelHashHex": "11", "decryptionStatus": "no_key",
                "mac": "3bd8", "encryptedData": "01020304"}})"));
}

TEST(PacketJsonTest, TransportCodesAreWrittenAsOnTheAir) {
  EXPECT_EQ(JsonOf("142AB500000068656C6C6F")["transportCodes"],
            Json::parse(R"({"code1": "2AB5", "code2": "0000"})"));
  EXPECT_FALSE(JsonOf(kDirectText).contains("transportCodes"));
}

TEST(PacketJsonTest, DirectPacketWithoutHopsTellsNoHashSize) {
  EXPECT_EQ(JsonOf("0A40D69FD7A5A7")["path"]["hashSize"], 0);
  EXPECT_EQ(JsonOf("0B0000000080D69FD7A5A7")["path"]["hashSize"], 0);
  EXPECT_EQ(JsonOf("0941AABBD69FD7A5A7")["path"]["hashSize"], 2);
  EXPECT_EQ(JsonOf("0940D69FD7A5A7")["path"]["hashSize"], 2) << "a flood tells its size before the first hop";
  EXPECT_EQ(JsonOf("0A41AABBD69FD7A5A7")["path"]["hashSize"], 2);
}

TEST(PacketJsonTest, GoldenAdvert) {
  const Json payload = JsonOf(kRepeaterAdvert, {nullptr, true})["payload"];
  EXPECT_EQ(payload["type"], "ADVERT");
  EXPECT_EQ(payload["pubKey"], "46d62de27d4c5194d7821fc5a34a45565dcc2537b300b9ab6275255cefb65d84");
  EXPECT_EQ(payload["timestamp"], 1774314764);
  EXPECT_EQ(payload["timestampISO"], "2026-03-24T01:12:44Z");
  EXPECT_EQ(payload["signatureValid"], true);
  EXPECT_EQ(payload["name"], "MRR2-R");
  EXPECT_NEAR(payload["lat"].get<double>(), 37.0, 1e-6);
  EXPECT_EQ(payload["flags"],
            Json::parse(R"({"raw": 146, "type": 2, "chat": false, "repeater": true, "room": false,
    "sensor": false, "hasLocation": true, "hasFeat1": false, "hasFeat2": false, "hasName": true})"));
}

TEST(PacketJsonTest, SignatureIsJudgedOnlyWhenAsked) {
  EXPECT_FALSE(JsonOf(kRepeaterAdvert)["payload"].contains("signatureValid"));
  std::string forged(kRepeaterAdvert);
  forged.back() = '3';
  EXPECT_EQ(JsonOf(forged, {nullptr, true})["payload"]["signatureValid"], false);
}

TEST(PacketJsonTest, ChannelMessageThatCouldBeReadIsAChan) {
  KeyRing keys;
  keys.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag("#test"));
  EXPECT_EQ(JsonOf(kTestChannelText, {&keys})["payload"], Json::parse(R"({"type": "CHAN", "channel": "#test",
    "channelHash": 217, "channelHashHex": "D9", "decryptionStatus": "decrypted", "sender": "Alice",
    "text": "Alice: hi", "sender_timestamp": 1700000000})"));
}

TEST(PacketJsonTest, DecryptionStatusTellsWhetherThereWereKeys) {
  const KeyRing none, others = KeyRing::WithPublic();
  EXPECT_EQ(JsonOf(kTestChannelText)["payload"]["decryptionStatus"], "no_key");
  EXPECT_EQ(JsonOf(kTestChannelText, {&none})["payload"]["decryptionStatus"], "no_key");
  EXPECT_EQ(JsonOf(kTestChannelText, {&others})["payload"]["decryptionStatus"], "decryption_failed");
}

TEST(PacketJsonTest, ChannelHashIsPaddedToTwoDigits) {
  EXPECT_EQ(PayloadOf(PayloadType::kGroupText, "0FAABBCC")["channelHashHex"], "0F");
  EXPECT_EQ(PayloadOf(PayloadType::kGroupData, "00AABBCC")["channelHash"], 0) << "zero stays zero";
}

TEST(PacketJsonTest, GroupDataTellsTypeAndBlob) {
  KeyRing keys;
  const ChannelKey key = ChannelKey::ForHashtag("#test");
  keys.Add(KeyOrigin::kHashtag, key);
  Packet packet;
  packet.payload_type = PayloadType::kGroupData;
  packet.payload = EncodePayload(EncryptGroupData(key, {"", 0, {0xAB, 0xCD}}));
  const Json json = PayloadToJson(packet, {&keys});
  EXPECT_EQ(json["type"], "GRP_DATA");
  EXPECT_EQ(json["dataType"], 0);
  EXPECT_EQ(json["dataLen"], 2);
  EXPECT_EQ(json["decryptedBlob"], "abcd");
}

TEST(PacketJsonTest, PeerEnvelopes) {
  EXPECT_EQ(JsonOf(kDirectText)["payload"],
            Json::parse(R"({"type": "TXT_MSG", "destHash": "d6", "srcHash": "9f",
    "mac": "d7a5", "encryptedData": "a7475db07337749ae61fa53a4788e976"})"));
  EXPECT_EQ(PayloadOf(PayloadType::kPath, "0102030405"), Json::parse(R"({"type": "PATH", "destHash": "01",
    "srcHash": "02", "mac": "0304", "pathData": "05"})"));
  EXPECT_EQ(PayloadOf(PayloadType::kAnonymousRequest, "01" + std::string(64, 'A') + "020304"),
            Json({{"type", "ANON_REQ"},
                  {"destHash", "01"},
                  {"ephemeralPubKey", std::string(64, 'a')},
                  {"mac", "0203"},
                  {"encryptedData", "04"}}));
}

TEST(PacketJsonTest, AckCodeIsWrittenAsANumber) {
  EXPECT_EQ(PayloadOf(PayloadType::kAck, "78563412"), Json::parse(R"({"type": "ACK", "extraHash": "12345678",
    "ackLen": 4})"));
  EXPECT_EQ(PayloadOf(PayloadType::kAck, "00000000000000"),
            Json::parse(R"({"type": "ACK", "extraHash": "00000000",
    "ackLen": 6, "ackAttempt": 0, "ackRand": 0})"));
}

TEST(PacketJsonTest, MultipartTellsItsInnerPacket) {
  EXPECT_EQ(PayloadOf(PayloadType::kMultipart, "2378563412"),
            Json::parse(R"({"type": "MULTIPART", "remaining": 2,
    "innerType": 3, "innerTypeName": "ACK", "innerAckCrc": "12345678", "innerAckLen": 4})"));
  EXPECT_EQ(PayloadOf(PayloadType::kMultipart, "23785634120500")["innerAckAttempt"], 5);
  EXPECT_EQ(PayloadOf(PayloadType::kMultipart, "02AABB"), Json::parse(R"({"type": "MULTIPART", "remaining": 0,
    "innerType": 2, "innerTypeName": "TXT_MSG", "innerPayload": "aabb"})"));
}

TEST(PacketJsonTest, GoldenTrace) {
  const Json json = JsonOf(kFiveHopTrace);
  EXPECT_EQ(json["path"],
            Json::parse(R"({"hashSize": 1, "hashCount": 5, "hops": ["67", "33", "D6", "33", "67"],
    "hopsCompleted": 4})"));
  EXPECT_EQ(json["payload"]["authCode"], 0) << "zero stays zero";
  EXPECT_EQ(json["payload"]["tag"], 0xB1E7FE59u);
  EXPECT_EQ(json["payload"]["pathData"], "6733d63367");
  EXPECT_FALSE(json.contains("anomaly"));
  EXPECT_EQ(JsonOf(kTwoHopTrace)["payload"]["snrValues"], Json::parse("[11.75, -2.0]"));
}

TEST(PacketJsonTest, OddTracesAreMarked) {
  EXPECT_TRUE(JsonOf("260030AABBCC").contains("anomaly")) << "too short";
  EXPECT_TRUE(JsonOf("25000102030405060708000102").contains("anomaly")) << "flooded";
  EXPECT_TRUE(JsonOf("26400102030405060708000102").contains("anomaly")) << "path length of 64";
  EXPECT_FALSE(JsonOf("26000102030405060708000102").contains("anomaly"));
}

TEST(PacketJsonTest, Controls) {
  const Json request = PayloadOf(PayloadType::kControl, "810400000000");
  EXPECT_EQ(request,
            Json::parse(R"({"type": "CONTROL", "ctrlFlags": "81", "ctrlZeroHop": true, "ctrlLength": 6,
    "ctrlSubtype": "DISCOVER_REQ", "raw": "810400000000", "prefixOnly": true, "typeFilter": 4, "tag": 0})"));
  const Json response = PayloadOf(PayloadType::kControl, "92F401000000" + std::string(16, 'B'));
  EXPECT_EQ(response["ctrlSubtype"], "DISCOVER_RESP");
  EXPECT_EQ(response["nodeRole"], "repeater");
  EXPECT_EQ(response["snr"], -3.0);
  EXPECT_EQ(response["pubKey"], std::string(16, 'b'));
  EXPECT_FALSE(PayloadOf(PayloadType::kControl, "92F401000000BBBB").contains("pubKey"));
  const Json other = PayloadOf(PayloadType::kControl, "0142");
  EXPECT_EQ(other["ctrlSubtype"], "UNKNOWN");
  EXPECT_EQ(other["ctrlZeroHop"], false);
}

TEST(PacketJsonTest, RawReservedAndShortPayloadsShowTheirBytes) {
  EXPECT_EQ(PayloadOf(PayloadType::kRawCustom, "0A0B"),
            Json::parse(R"({"type": "RAW_CUSTOM", "rawLength": 2, "firstByteTag": "0A", "raw": "0a0b"})"));
  EXPECT_EQ(PayloadOf(PayloadType::kReserved13, "0A"), Json::parse(R"({"type": "UNKNOWN", "raw": "0a"})"));
  EXPECT_EQ(PayloadOf(PayloadType::kAdvert, "0A0B"),
            Json::parse(R"({"type": "ADVERT", "error": "too short", "raw": "0a0b"})"));
}

TEST(PacketJsonTest, NamesOfBrokenBytesAreStillJson) {
  Bytes app_data = Hex("81FF41C3");
  Advert advert;
  advert.app_data = app_data;
  Packet packet;
  packet.payload_type = PayloadType::kAdvert;
  packet.payload = EncodeAdvert(advert);
  EXPECT_NO_THROW(PacketToJson(packet).dump());
  KeyRing keys;
  keys.Add(KeyOrigin::kConfigured, *ChannelKey::FromBytes("\xFF", ChannelKey::ForHashtag("#test").bytes()));
  EXPECT_NO_THROW(JsonOf(kTestChannelText, {&keys}).dump());
}

}  // namespace
}  // namespace heliograph
