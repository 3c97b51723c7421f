#include "common/advert.h"

#include <gtest/gtest.h>

#include "common/crypto.h"
#include "common/packet.h"
#include "common/text.h"
#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

/// An advert with this app_data, unsigned, as it comes out of the decoder.
tl::expected<Advert, AdvertError> WithAppData(const Bytes& app_data) {
  Advert advert;
  advert.public_key = *PublicKey::FromHex(std::string(64, 'a'));
  advert.app_data = app_data;
  return DecodeAdvert(EncodeAdvert(advert));
}

Bytes Named(std::string_view fields_hex, std::string_view name) {
  Bytes app_data = Hex(fields_hex);
  const ByteView text = AsBytes(name);
  app_data.insert(app_data.end(), text.begin(), text.end());
  return app_data;
}

TEST(AdvertTest, ReadsTheGoldenRepeater) {
  const auto advert = DecodeAdvert(DecodeFrame(Hex(kRepeaterAdvert))->payload);
  ASSERT_TRUE(advert.has_value());
  EXPECT_EQ(advert->flags, 0x92);
  EXPECT_EQ(RoleName(advert->type), "repeater");
  EXPECT_EQ(advert->timestamp, 1774314764u);
  EXPECT_NEAR(advert->latitude.value(), 37.0, 1e-6);
  EXPECT_NEAR(advert->longitude.value(), -122.1, 1e-6);
  EXPECT_EQ(advert->name, "MRR2-R");
  EXPECT_TRUE(VerifySignature(*advert));
  EXPECT_EQ(FindImplausibility(*advert), std::nullopt);
}

TEST(AdvertTest, ReadsTheGoldenNameWithAnEmoji) {
  const auto advert = DecodeAdvert(DecodeFrame(Hex(kEmojiAdvert))->payload);
  ASSERT_TRUE(advert.has_value());
  EXPECT_EQ(advert->timestamp, 1720612518u);
  EXPECT_NEAR(advert->latitude.value(), 36.757308, 1e-9);
  EXPECT_NEAR(advert->longitude.value(), -121.504264, 1e-9);
  EXPECT_EQ(advert->name, "PEAK🌳");
  EXPECT_TRUE(VerifySignature(*advert));
}

TEST(AdvertTest, AnyChangedByteBreaksTheSignature) {
  const Bytes payload = DecodeFrame(Hex(kRepeaterAdvert))->payload;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    Bytes changed = payload;
    changed[i] ^= 1;
    const auto advert = DecodeAdvert(changed);
    EXPECT_FALSE(advert && VerifySignature(*advert)) << "byte " << i;
  }
}

TEST(AdvertTest, FirmwareRuleTheSignatureCoversOnlyTheFirst32BytesOfAppData) {
  const Ed25519KeyPair keys({7});
  Advert advert;
  advert.public_key = keys.public_key();
  advert.app_data = Named("82", std::string(31, 'n'));
  const Bytes signature = keys.Sign(SignedPart(advert));
  std::copy(signature.begin(), signature.end(), advert.signature.begin());
  EXPECT_TRUE(VerifySignature(advert));
  advert.app_data.push_back('x');
  EXPECT_TRUE(VerifySignature(advert)) << "what lies beyond is not signed";
  EXPECT_EQ(DecodeAdvert(EncodeAdvert(advert))->name, std::string(31, 'n')) << "and is not believed";
  advert.app_data[31] = 'x';
  EXPECT_FALSE(VerifySignature(advert));
}

TEST(AdvertTest, FewerThanHundredBytesAreTooShort) {
  EXPECT_EQ(DecodeAdvert(Bytes(99)).error(), AdvertError::kTooShort);
  EXPECT_EQ(DecodeAdvert(Bytes{}).error(), AdvertError::kTooShort);
}

TEST(AdvertTest, FirmwareRuleAFlagWhoseBytesAreMissingMakesTheAdvertInvalid) {
  for (const char* app_data :
       {"", "10", "1000000000000000", "20AA", "40AA", "60AABBCC", "70000000000000000000AABB"}) {
    const auto advert = WithAppData(Hex(app_data));
    ASSERT_FALSE(advert.has_value()) << app_data;
    EXPECT_EQ(advert.error(), AdvertError::kFieldsTruncated);
  }
}

TEST(AdvertTest, TypesAboveSensorKeepTheirNumber) {
  static constexpr std::array<std::string_view, 5> kRoles = {"none", "companion", "repeater", "room",
                                                             "sensor"};
  for (std::uint8_t type = 0; type < 16; ++type) {
    const std::string role = RoleName(WithAppData({type})->type);
    EXPECT_EQ(role, type < kRoles.size() ? std::string(kRoles[type]) : "type-" + std::to_string(type));
  }
}

TEST(AdvertTest, ReadsBothFeatures) {
  const auto advert = WithAppData(Named("E234127856", "n"));
  EXPECT_EQ(advert->feature1, 0x1234);
  EXPECT_EQ(advert->feature2, 0x5678);
  EXPECT_EQ(advert->name, "n");
  EXPECT_EQ(advert->latitude, std::nullopt);
}

TEST(AdvertTest, NameRunsToTheFirstNulOrTheEnd) {
  EXPECT_EQ(WithAppData(Named("81", "whole"))->name, "whole");
  EXPECT_EQ(WithAppData(Named("81", std::string_view("cut\0off", 7)))->name, "cut");
  EXPECT_EQ(WithAppData(Named("81", ""))->name, std::nullopt);
  EXPECT_EQ(WithAppData(Named("01", "no flag"))->name, std::nullopt);
}

TEST(AdvertTest, NameIsCutTo32BytesAtMostAndStaysUtf8) {
  EXPECT_LE(WithAppData(Named("81", std::string(64, 'x')))->name->size(), 32u);
  const auto advert = WithAppData(Named("81", "🌳🌳🌳🌳🌳🌳🌳🌳🌳"));
  EXPECT_LE(advert->name->size(), 32u);
  EXPECT_TRUE(IsValidUtf8(*advert->name));
}

TEST(AdvertTest, NameLosesControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(WithAppData(Named("81",
                              "a\tb\x07"
                              "c\x7F"))
                ->name,
            "a bc");
  EXPECT_EQ(WithAppData(Named("81", "ok\xFF"))->name, "ok\xEF\xBF\xBD");
}

TEST(AdvertTest, SensorTelemetryFollowsTheNulOfTheName) {
  const auto telemetry = [](std::string_view hex) { return WithAppData(Hex("8473" + std::string(hex))); };
  EXPECT_EQ(telemetry("00740E38FF")->battery_mv, 3700);
  EXPECT_DOUBLE_EQ(telemetry("00740E38FF")->temperature_c.value(), -2.0);
  EXPECT_DOUBLE_EQ(telemetry("00740E0000")->temperature_c.value(), 0.0);
  EXPECT_EQ(telemetry("001127E02E")->battery_mv, std::nullopt) << "10001 mV";
  EXPECT_EQ(telemetry("00740E1127")->temperature_c, std::nullopt) << "100.01 °C";
  EXPECT_EQ(telemetry("00740E38")->battery_mv, std::nullopt) << "a byte is missing";
  EXPECT_EQ(WithAppData(Hex("827300740E38FF"))->battery_mv, std::nullopt) << "a repeater";
}

TEST(AdvertTest, PositionsAtTheEdgesOfTheGlobeArePlausible) {
  const auto at = [](double latitude, double longitude) {
    return FindImplausibility(
        *WithAppData(EncodeAdvertAppData(NodeType::kRoom, {{latitude, longitude}}, "n")));
  };
  EXPECT_EQ(at(90, 180), std::nullopt);
  EXPECT_EQ(at(-90, -180), std::nullopt);
  EXPECT_EQ(at(0, 0), std::nullopt);
  EXPECT_NE(at(90.000001, 0), std::nullopt);
  EXPECT_NE(at(0, -180.000001), std::nullopt);
  EXPECT_NE(at(999, 999), std::nullopt);
}

TEST(AdvertTest, ZeroKeyIsImplausible) {
  Advert advert;
  advert.app_data = {1};
  EXPECT_NE(FindImplausibility(*DecodeAdvert(EncodeAdvert(advert))), std::nullopt);
}

TEST(AdvertTest, NotANumberIsImplausible) {
  Advert advert = *WithAppData({1});
  advert.latitude = std::numeric_limits<double>::quiet_NaN();
  advert.longitude = 0;
  EXPECT_NE(FindImplausibility(advert), std::nullopt);
}

TEST(AdvertTest, ControlCharactersInTheNameAreImplausibleButTabAndNewlineAreNot) {
  EXPECT_EQ(FindImplausibility(*WithAppData(Named("81", "a\tb\nc"))), std::nullopt);
  for (const char* name : {"a\x01", "a\x0B", "a\x0C", "a\x1F", "a\x7F"}) {
    EXPECT_NE(FindImplausibility(*WithAppData(Named("81", name))), std::nullopt);
  }
}

TEST(AdvertTest, AppDataIsCutOnAUtf8BoundaryAsTheSenderDoes) {
  const Bytes app_data = EncodeAdvertAppData(NodeType::kRepeater, {{52.5, 13.4}}, "abc🌳🌳🌳🌳🌳🌳");
  EXPECT_EQ(app_data.size(), 9u + 3 + 5 * 4);
  const auto advert = WithAppData(app_data);
  EXPECT_EQ(advert->name, "abc🌳🌳🌳🌳🌳");
  EXPECT_NEAR(advert->latitude.value(), 52.5, 1e-6);
}

}  // namespace
}  // namespace heliograph
