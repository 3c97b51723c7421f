#include <gtest/gtest.h>

#include "common/channel_crypto.h"
#include "common/crypto.h"
#include "common/key_ring.h"
#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

GroupText GroupTextOf(std::string_view frame_hex) {
  return std::get<GroupText>(DecodePayload(*DecodeFrame(Hex(frame_hex))));
}

KeyRing RingOf(std::initializer_list<std::string_view> hashtags) {
  KeyRing ring;
  for (const std::string_view name : hashtags) ring.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag(name));
  return ring;
}

/// What a reader of "#test" makes of this text.
std::optional<GroupMessage> SendText(std::string_view text) {
  const GroupText sealed =
      EncryptGroupText(ChannelKey::ForHashtag("#test"), {"", 1, std::nullopt, std::string(text)});
  return DecryptGroupText(RingOf({"#test"}), sealed);
}

/// What a reader of "#test" makes of this plaintext.
std::optional<GroupMessage> SendPlaintext(std::string_view hex) {
  const ChannelKey key = ChannelKey::ForHashtag("#test");
  return DecryptGroupText(RingOf({"#test"}), GroupText{{key.hash_byte(), Seal(key, Hex(hex))}});
}

TEST(ChannelKeyTest, HashtagNamesTheKey) {
  const ChannelKey key = ChannelKey::ForHashtag("#LongFast");
  EXPECT_EQ(ToHexLower(key.bytes()), "2cc3d22840e086105ad73443da2cacb8");
  EXPECT_EQ(key.hash_byte(), 0x7D);
  EXPECT_EQ(ChannelKey::ForHashtag("  LongFast "), key);
}

TEST(ChannelKeyTest, DifferentChannelsMayShareTheirHash) {
  EXPECT_EQ(ChannelKey::ForHashtag("#test").hash_byte(), 0xD9);
  EXPECT_EQ(ChannelKey::ForHashtag("#belgium").hash_byte(), 0xD9);
}

TEST(ChannelKeyTest, PublicHasItsWellKnownHash) {
  EXPECT_EQ(ChannelKey::Public().hash_byte(), 0x11);
}

TEST(ChannelKeyTest, KeysHave16Or32Bytes) {
  EXPECT_TRUE(ChannelKey::FromBytes("a", Bytes(16)).has_value());
  EXPECT_TRUE(ChannelKey::FromBytes("a", Bytes(32)).has_value());
  for (const std::size_t size : {0u, 15u, 17u, 24u, 33u})
    EXPECT_FALSE(ChannelKey::FromBytes("a", Bytes(size)));
  EXPECT_FALSE(ChannelKey::FromHex("a", "zz"));
  EXPECT_FALSE(ChannelKey::FromHex("a", std::string(31, '0')));
}

TEST(ChannelCryptoTest, ReadsTheGoldenHashtagMessage) {
  const auto message = DecryptGroupText(RingOf({"#test"}), GroupTextOf(kTestChannelText));
  EXPECT_EQ(message, (GroupMessage{"#test", 1700000000, "Alice", "hi"}));
}

TEST(ChannelCryptoTest, ReadsTheGoldenPublicMessage) {
  const auto message = DecryptGroupText(KeyRing::WithPublic(), GroupTextOf(kPublicChannelText));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->channel, "Public");
  EXPECT_EQ(message->WholeText(), "Bob: hello");
}

TEST(ChannelCryptoTest, WritesTheGoldenHashtagMessage) {
  const GroupText sealed = EncryptGroupText(ChannelKey::ForHashtag("#test"), {"", 1700000000, "Alice", "hi"});
  EXPECT_EQ("1500" + ToHexUpper(EncodePayload(sealed)), kTestChannelText);
}

TEST(ChannelCryptoTest, FindsTheRightOneOfSeveralKeysWithTheSameHash) {
  const auto message =
      DecryptGroupText(RingOf({"#belgium", "#LongFast", "#test"}), GroupTextOf(kTestChannelText));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->channel, "#test");
}

TEST(ChannelCryptoTest, WrongKeyFails) {
  EXPECT_EQ(DecryptGroupText(RingOf({"#belgium"}), GroupTextOf(kTestChannelText)), std::nullopt);
  EXPECT_EQ(DecryptGroupText(KeyRing(), GroupTextOf(kTestChannelText)), std::nullopt);
}

TEST(ChannelCryptoTest, ChangedMacFails) {
  GroupText sealed = GroupTextOf(kTestChannelText);
  sealed.sealed.mac[1] ^= 1;
  EXPECT_EQ(DecryptGroupText(RingOf({"#test"}), sealed), std::nullopt);
}

TEST(ChannelCryptoTest, CiphertextThatIsNoWholeNumberOfBlocksFailsEvenWithARightMac) {
  const ChannelKey key = ChannelKey::ForHashtag("#test");
  for (const std::size_t size : {0u, 1u, 15u, 17u}) {
    Sealed sealed{{}, Bytes(size, 7)};
    const Sha256Digest digest = HmacSha256(key.bytes(), sealed.ciphertext);
    sealed.mac = {digest[0], digest[1]};
    EXPECT_EQ(Open(key, sealed), std::nullopt) << size;
  }
}

TEST(ChannelCryptoTest, KeyOf32BytesUsesAllForTheMacAndHalfForTheCipher) {
  const ChannelKey key = *ChannelKey::FromBytes("big", Sha256(AsBytes("secret")));
  const Sealed sealed = Seal(key, Hex("01020304"));
  EXPECT_EQ(ToHexLower(*Open(key, sealed)), "01020304000000000000000000000000");
  const Sha256Digest digest = HmacSha256(key.bytes(), sealed.ciphertext);
  EXPECT_EQ(sealed.mac, (std::array<std::uint8_t, 2>{digest[0], digest[1]}));
  EXPECT_EQ(Open(*ChannelKey::FromBytes("half", key.bytes().first(16)), sealed), std::nullopt);
}

TEST(ChannelCryptoTest, SenderEndsAtTheFirstColonAndSpace) {
  EXPECT_EQ(SendText("Al: b: c"), (GroupMessage{"#test", 1, "Al", "b: c"}));
  EXPECT_EQ(SendText("no sender")->sender, std::nullopt);
  EXPECT_EQ(SendText("time 12:30 o'clock")->sender, std::nullopt);
  EXPECT_EQ(SendText(": nobody")->sender, std::nullopt);
  EXPECT_EQ(SendText("a:b: c")->sender, std::nullopt);
  EXPECT_EQ(SendText("[bot]: c")->sender, std::nullopt);
  EXPECT_EQ(SendText(std::string(49, 'n') + ": x")->sender, std::string(49, 'n'));
  EXPECT_EQ(SendText(std::string(50, 'n') + ": x")->sender, std::nullopt);
}

TEST(ChannelCryptoTest, TextEndsAtTheFirstNul) {
  EXPECT_EQ(SendPlaintext("0100000000414200434400")->text, "AB");
}

TEST(ChannelCryptoTest, ImplausibleTextIsNoMessage) {
  EXPECT_TRUE(SendText("a\x01\x02").has_value());
  EXPECT_FALSE(SendText("a\x01\x02\x03").has_value());
  EXPECT_TRUE(SendText("a\t\n\t\n\r").has_value());
  EXPECT_FALSE(SendText("broken \xC3").has_value());
  EXPECT_FALSE(SendText("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD").has_value());
}

TEST(ChannelCryptoTest, FirmwareRuleOnlyPlainTextIsAMessage) {
  EXPECT_TRUE(SendPlaintext("01000000004142").has_value());
  EXPECT_TRUE(SendPlaintext("01000000034142").has_value()) << "the low bits count attempts";
  EXPECT_FALSE(SendPlaintext("01000000044142").has_value());
  EXPECT_FALSE(SendPlaintext("01000000084142").has_value());
}

TEST(ChannelCryptoTest, DatagramTellsItsTypeAndLength) {
  const ChannelKey key = ChannelKey::ForHashtag("#test");
  const GroupDatagram datagram{"#test", 0xFF01, {1, 2, 3, 0}};
  EXPECT_EQ(DecryptGroupData(RingOf({"#test"}), EncryptGroupData(key, datagram)), datagram);
}

TEST(ChannelCryptoTest, DatagramThatClaimsMoreThanThereIsFails) {
  const ChannelKey key = ChannelKey::ForHashtag("#test");
  EXPECT_TRUE(DecryptGroupData(RingOf({"#test"}), {{key.hash_byte(), Seal(key, Hex("01FF0D"))}}).has_value());
  EXPECT_FALSE(
      DecryptGroupData(RingOf({"#test"}), {{key.hash_byte(), Seal(key, Hex("01FF0E"))}}).has_value());
}

/// The first byte of the key that the ring has for this name.
std::optional<int> FirstByte(const KeyRing& ring, std::string_view name) {
  for (unsigned hash = 0; hash < 256; ++hash) {
    for (const ChannelKey& key : ring.Candidates(static_cast<std::uint8_t>(hash))) {
      if (key.name() == name) return key.bytes()[0];
    }
  }
  return std::nullopt;
}

ChannelKey KeyOf(std::string_view name, std::uint8_t fill) {
  return *ChannelKey::FromBytes(name, Bytes(16, fill));
}

TEST(KeyRingTest, StrongerOriginWinsInWhateverOrderKeysAreAdded) {
  KeyRing rising, falling;
  const std::array kOrigins = {KeyOrigin::kBuiltIn, KeyOrigin::kKeyFile, KeyOrigin::kHashtag,
                               KeyOrigin::kConfigured};
  for (std::uint8_t i = 0; i < 4; ++i) {
    rising.Add(kOrigins[i], KeyOf("#a", i));
    EXPECT_EQ(FirstByte(rising, "#a"), i);
    falling.Add(kOrigins[3u - i], KeyOf("#a", static_cast<std::uint8_t>(3 - i)));
    EXPECT_EQ(FirstByte(falling, "#a"), 3);
  }
  EXPECT_EQ(rising.size(), 1u);
}

TEST(KeyRingTest, PublicInAnyCaseIsThePublicChannel) {
  KeyRing ring = KeyRing::WithPublic();
  ring.Add(KeyOrigin::kConfigured, KeyOf("public", 1));
  EXPECT_EQ(FirstByte(ring, "Public"), 1);
  EXPECT_EQ(ring.size(), 1u);
}

TEST(KeyRingTest, ExactSpellingOfPublicWins) {
  KeyRing ring;
  ring.Add(KeyOrigin::kConfigured, KeyOf("Public", 1));
  ring.Add(KeyOrigin::kConfigured, KeyOf("PUBLIC", 2));
  EXPECT_EQ(FirstByte(ring, "Public"), 1);
  KeyRing reversed;
  reversed.Add(KeyOrigin::kConfigured, KeyOf("public", 2));
  reversed.Add(KeyOrigin::kConfigured, KeyOf("Public", 1));
  EXPECT_EQ(FirstByte(reversed, "Public"), 1);
}

TEST(KeyRingTest, OtherNamesKeepTheirCase) {
  KeyRing ring;
  ring.Add(KeyOrigin::kConfigured, KeyOf("team", 1));
  ring.Add(KeyOrigin::kConfigured, KeyOf("Team", 2));
  ring.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag("public"));
  EXPECT_EQ(FirstByte(ring, "team"), 1);
  EXPECT_EQ(FirstByte(ring, "Team"), 2);
  EXPECT_TRUE(FirstByte(ring, "#public").has_value());
}

TEST(KeyRingTest, ReplacedKeyNoLongerReads) {
  KeyRing ring;
  ring.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag("#test"));
  ring.Add(KeyOrigin::kConfigured, KeyOf("#test", 9));
  EXPECT_EQ(DecryptGroupText(ring, GroupTextOf(kTestChannelText)), std::nullopt);
}

TEST(KeyRingTest, SameKeyUnderTwoNamesReadsAsTheStrongerOne) {
  KeyRing ring;
  ring.Add(KeyOrigin::kKeyFile, *ChannelKey::FromBytes("a-file", ChannelKey::ForHashtag("#test").bytes()));
  ring.Add(KeyOrigin::kConfigured, *ChannelKey::FromBytes("z-mine", ChannelKey::ForHashtag("#test").bytes()));
  EXPECT_EQ(DecryptGroupText(ring, GroupTextOf(kTestChannelText))->channel, "z-mine");
}

}  // namespace
}  // namespace heliograph
