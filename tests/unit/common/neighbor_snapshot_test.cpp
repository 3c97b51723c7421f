#include "common/neighbor_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph {
namespace {

using ::testing::HasSubstr;

PublicKey KeyOf(std::uint8_t fill) {
  std::array<std::uint8_t, PublicKey::kSize> bytes;
  bytes.fill(fill);
  return PublicKey(bytes);
}

NeighborEdge Edge(std::uint8_t a, std::uint8_t b) {
  const UtcMillis noon(std::chrono::milliseconds(1'780'000'000'000));
  return {KeyOf(a), KeyOf(b), 12.34, 0.5, noon, noon + std::chrono::hours(1), 3, -7.25};
}

std::string Text(const std::string& row) {
  return R"({"nodes":[")" + KeyOf(1).ToHex() + R"(",")" + KeyOf(2).ToHex() + R"("],"edges":[)" + row + "]}";
}

std::string ErrorOf(const std::string& text) {
  const auto snapshot = DecodeNeighborSnapshot(text);
  return snapshot ? "accepted" : snapshot.error();
}

TEST(NeighborSnapshot, ReadsWhatItWrote) {
  NeighborSnapshot snapshot{{Edge(1, 2), Edge(1, 3), Edge(2, 3)}};
  snapshot.edges[1].snr_db.reset();
  EXPECT_EQ(DecodeNeighborSnapshot(EncodeNeighborSnapshot(snapshot)), snapshot);
  EXPECT_EQ(DecodeNeighborSnapshot(EncodeNeighborSnapshot({})), NeighborSnapshot());
}

TEST(NeighborSnapshot, NamesEachKeyOnce) {
  const std::string text = EncodeNeighborSnapshot({{Edge(1, 2), Edge(1, 3)}});
  EXPECT_EQ(text.find(KeyOf(1).ToHex()), text.rfind(KeyOf(1).ToHex()));
}

TEST(NeighborSnapshot, RefusesWhatIsNoSnapshot) {
  EXPECT_THAT(ErrorOf("{"), HasSubstr("no JSON"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("no object"));
  EXPECT_THAT(ErrorOf(R"({"edges":[]})"), HasSubstr("`nodes`"));
  EXPECT_THAT(ErrorOf(R"({"nodes":[]})"), HasSubstr("`edges`"));
  EXPECT_THAT(ErrorOf(R"({"nodes":["xy"],"edges":[]})"), HasSubstr("node 0 is no public key"));
}

TEST(NeighborSnapshot, RefusesEdgesThatMakeNoSense) {
  EXPECT_EQ(ErrorOf(Text("[0,1,1,0,5,5,1,null]")), "accepted");
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5,5,1]")), HasSubstr("edge 0 is no list of 8"));
  EXPECT_THAT(ErrorOf(Text("[0,2,1,0,5,5,1,null]")), HasSubstr("names node 2 of 2"));
  EXPECT_THAT(ErrorOf(Text("[1,1,1,0,5,5,1,null]")), HasSubstr("ascending"));
  EXPECT_THAT(ErrorOf(Text("[0,1,-1,0,5,5,1,null]")), HasSubstr("a_to_b"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,1e300,5,5,1,null]")), HasSubstr("b_to_a"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5.5,6,1,null]")), HasSubstr("first_seen"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,6,5,1,null]")), HasSubstr("before"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5,18446744073709551615,1,null]")), HasSubstr("last_seen"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5,5,4294967296,null]")), HasSubstr("observers"));
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5,5,1,\"x\"]")), HasSubstr("snr_db"));
}

TEST(NeighborSnapshot, RefusesAnEdgeThatIsThereTwice) {
  EXPECT_THAT(ErrorOf(Text("[0,1,1,0,5,5,1,null],[0,1,1,0,5,5,1,null]")), HasSubstr("edge 1 is not above"));
}

}  // namespace
}  // namespace heliograph
