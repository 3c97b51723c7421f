#include "common/ulid.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace heliograph {
namespace {

constexpr UtcMillis kMoment{std::chrono::milliseconds(1'469'918'176'385)};

TEST(Ulid, WritesTheTimeAsTheSpecificationDoes) {
  // The example of github.com/ulid/spec: 1469918176385 is 01ARYZ6S41.
  EXPECT_EQ(Ulid::FromParts(kMoment, {}).ToText(), "01ARYZ6S410000000000000000");
}

TEST(Ulid, ReadsBackWhatItWrites) {
  const Ulid id = Ulid::Generate(kMoment);
  EXPECT_EQ(Ulid::Parse(id.ToText()), id);
  EXPECT_EQ(id.time(), kMoment);
}

TEST(Ulid, ReadsTheHighestAndTheLowest) {
  std::array<std::uint8_t, Ulid::kSize> ones{};
  ones.fill(0xff);
  EXPECT_EQ(Ulid(ones).ToText(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(Ulid::Parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), Ulid(ones));
  EXPECT_EQ(Ulid::Parse("00000000000000000000000000"), Ulid());
}

TEST(Ulid, RefusesEveryOtherText) {
  EXPECT_FALSE(Ulid::Parse(""));
  EXPECT_FALSE(Ulid::Parse("01ARYZ6S41000000000000000"));
  EXPECT_FALSE(Ulid::Parse("01ARYZ6S4100000000000000000"));
  EXPECT_FALSE(Ulid::Parse("01aryz6s410000000000000000"));
  EXPECT_FALSE(Ulid::Parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  for (const char letter : std::string("ILOU-/ .")) {
    EXPECT_FALSE(Ulid::Parse("01ARYZ6S41000000000000000" + std::string(1, letter))) << letter;
  }
}

TEST(Ulid, SortsByTimeAndLikeItsText) {
  const Ulid earlier = Ulid::Generate(kMoment);
  const Ulid later = Ulid::Generate(kMoment + std::chrono::milliseconds(1));
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.ToText(), later.ToText());
}

TEST(Ulid, IsNewEachTime) {
  std::set<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.insert(Ulid::Generate(kMoment).ToText());
  EXPECT_EQ(texts.size(), 1000U);
}

}  // namespace
}  // namespace heliograph
