#include "common/region_scope.h"

#include <gtest/gtest.h>

#include "tests/unit/common/golden_vectors.h"

namespace heliograph {
namespace {

RegionScopes ScopesOf(std::vector<std::string> names) {
  return RegionScopes(names);
}

Packet ScopedPacket(std::string_view code_hex) {
  return *DecodeFrame(Hex("14" + std::string(code_hex) + "00000068656C6C6F"));
}

TEST(RegionScopeTest, NameGivesTheKey) {
  EXPECT_EQ(ToHexLower(RegionKeyOf("#test")), "9cd8fcf22a47333b591d96a2b848b73f");
  EXPECT_EQ(ToHexLower(RegionKeyOf("belgium")), "7085b78ed010599094f8c8e7d1aa0e27");
}

TEST(RegionScopeTest, CodesOfTheGoldenRegions) {
  const Bytes hello = Hex("68656C6C6F");
  EXPECT_EQ(ScopeCode(RegionKeyOf("#test"), PayloadType::kGroupText, hello), 0xB52A);
  EXPECT_EQ(ScopeCode(RegionKeyOf("#belgium"), PayloadType::kGroupText, hello), 0x754A);
  EXPECT_NE(ScopeCode(RegionKeyOf("#test"), PayloadType::kGroupData, hello), 0xB52A);
}

TEST(RegionScopeTest, MatchingRegionIsNamedWithItsHash) {
  EXPECT_EQ(ScopesOf({"#belgium", "test"}).Match(*DecodeFrame(Hex("142AB500000068656C6C6F"))), "#test");
  EXPECT_EQ(ScopesOf({"#belgium", "#test"}).Match(ScopedPacket("4A75")), "#belgium");
}

TEST(RegionScopeTest, UnknownCodeIsScopedByNothingKnown) {
  EXPECT_EQ(ScopesOf({"#belgium"}).Match(ScopedPacket("2AB5")), "");
  EXPECT_EQ(RegionScopes().Match(ScopedPacket("2AB5")), "");
}

TEST(RegionScopeTest, PacketWithoutACodeIsUnscoped) {
  EXPECT_EQ(ScopesOf({"#test"}).Match(ScopedPacket("0000")), std::nullopt);
  EXPECT_EQ(ScopesOf({"#test"}).Match(*DecodeFrame(Hex("150068656C6C6F"))), std::nullopt);
}

TEST(RegionScopeTest, PathAndRouteDoNotChangeTheScope) {
  EXPECT_EQ(ScopesOf({"#test"}).Match(*DecodeFrame(Hex("172AB5FFFF02AABB68656C6C6F"))), "#test");
}

TEST(RegionScopeTest, ReservedCodesAreNeverComputed) {
  const RegionKey key = RegionKeyOf("#test");
  std::size_t shifted = 0;
  for (std::uint32_t i = 0; i < 300000; ++i) {
    const std::array<std::uint8_t, 3> payload = {
        static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i >> 16)};
    const std::uint16_t code = ScopeCode(key, PayloadType::kAck, payload);
    ASSERT_NE(code, 0x0000);
    ASSERT_NE(code, 0xFFFF);
    if (code == 0x0001 || code == 0xFFFE) ++shifted;
  }
  EXPECT_GT(shifted, 0u);
}

TEST(RegionScopeTest, PrivateAndEmptyNamesAreLeftOut) {
  const Packet packet = ScopedPacket("2AB5");
  EXPECT_EQ(ScopesOf({"", " ", "#", "$test"}).Match(packet), "");
}

}  // namespace
}  // namespace heliograph
