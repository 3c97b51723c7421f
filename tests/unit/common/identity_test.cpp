#include <gtest/gtest.h>

#include <unordered_set>

#include "common/content_hash.h"
#include "common/path_hash.h"
#include "common/public_key.h"
#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

const std::string kKeyHex = "46d62de27d4c5194d7821fc5a34a45565dcc2537b300b9ab6275255cefb65d84";

TEST(HexTest, BothCasesAreReadAndEachIsWritten) {
  EXPECT_EQ(FromHex("00aAfF"), (Bytes{0x00, 0xAA, 0xFF}));
  EXPECT_EQ(ToHexLower(Bytes{0x00, 0xAA, 0xFF}), "00aaff");
  EXPECT_EQ(ToHexUpper(Bytes{0x00, 0xAA, 0xFF}), "00AAFF");
  EXPECT_EQ(FromHex(""), Bytes{});
}

TEST(HexTest, OddLengthsAndOtherCharactersAreRefused) {
  for (const char* hex : {"0", "000", "0g", "g0", " 00", "0x", "00 0", "\xFF\xFF"})
    EXPECT_FALSE(FromHex(hex)) << hex;
  std::array<std::uint8_t, 2> out{};
  EXPECT_FALSE(FromHexInto("00", out));
  EXPECT_TRUE(FromHexInto("beef", out));
}

TEST(PublicKeyTest, IsWrittenLowerAsNodeAndUpperAsObserver) {
  const auto key = PublicKey::FromHex(kKeyHex);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->ToHex(), kKeyHex);
  EXPECT_EQ(PublicKey::FromHex(key->ToObserverId()), key);
  EXPECT_EQ(PublicKey::FromBytes(key->bytes()), key);
  EXPECT_FALSE(PublicKey::FromHex(kKeyHex.substr(2)));
  EXPECT_FALSE(PublicKey::FromBytes(Bytes(31)));
}

TEST(PublicKeyTest, OnlyTheKeyOfZerosIsZero) {
  EXPECT_TRUE(PublicKey().IsZero());
  EXPECT_FALSE(PublicKey::FromHex(kKeyHex)->IsZero());
}

TEST(PathHashTest, IsThePrefixOfTheKey) {
  const PublicKey key = *PublicKey::FromHex(kKeyHex);
  EXPECT_EQ(PathHash::Of(key, 1).ToHex(), "46");
  EXPECT_EQ(PathHash::Of(key, 3).ToHex(), "46D62D");
  EXPECT_TRUE(PathHash::FromHex("46d6")->Matches(key));
  EXPECT_FALSE(PathHash::FromHex("46d7")->Matches(key));
  EXPECT_FALSE(PathHash::FromHex(""));
  EXPECT_FALSE(PathHash::FromHex("46d62de2"));
  EXPECT_FALSE(PathHash::FromBytes(Bytes(4)));
}

TEST(PathHashTest, HashesOfDifferentSizesDiffer) {
  EXPECT_NE(PathHash::FromHex("00"), PathHash::FromHex("0000"));
  const std::hash<PathHash> hash;
  EXPECT_NE(hash(*PathHash::FromHex("00")), hash(*PathHash::FromHex("0000")));
}

TEST(ContentHashTest, HasSixteenDigits) {
  EXPECT_EQ(ContentHash::FromHex("B1F07307CBC01CE5")->ToHex(), "b1f07307cbc01ce5");
  EXPECT_FALSE(ContentHash::FromHex("b1f07307cbc01c"));
  EXPECT_FALSE(ContentHash::FromBytes(Bytes(9)));
}

TEST(IdentityTest, ValuesWorkAsKeysOfHashTables) {
  std::unordered_set<PublicKey> keys{PublicKey(), *PublicKey::FromHex(kKeyHex), *PublicKey::FromHex(kKeyHex)};
  EXPECT_EQ(keys.size(), 2u);
  std::unordered_set<ContentHash> hashes{ContentHash(), *ContentHash::FromHex("b1f07307cbc01ce5")};
  EXPECT_TRUE(hashes.contains(*ContentHash::FromHex("B1F07307CBC01CE5")));
}

}  // namespace
}  // namespace heliograph
