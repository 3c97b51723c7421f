#include "server/http/parameters.h"

#include <array>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Request With(const std::string& name, const std::string& value) {
  Request request;
  request.query = {{name, value}};
  return request;
}

// The detail of the 400 that `read` throws.
std::string Refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const ProblemError& problem) {
    return problem.status() == 400 ? problem.what() : "another status";
  }
  return "not refused";
}

TEST(ParametersTest, LimitIsClampedAndNeverRefused) {
  constexpr LimitRange kRange{50, 2000};
  EXPECT_EQ(LimitParameter(Request{}, kRange), 50);
  for (const char* text : {"", "abc", "0", "-1", "10x", "1e3", " 5", "0x10", "-99999999999999999999999"}) {
    EXPECT_EQ(LimitParameter(With("limit", text), kRange), 50) << text;
  }
  EXPECT_EQ(LimitParameter(With("limit", "1"), kRange), 1);
  EXPECT_EQ(LimitParameter(With("limit", "2000"), kRange), 2000);
  EXPECT_EQ(LimitParameter(With("limit", "2001"), kRange), 2000);
  EXPECT_EQ(LimitParameter(With("limit", "99999999999999999999999999"), kRange), 2000);
}

TEST(ParametersTest, OffsetIsNeverNegative) {
  EXPECT_EQ(OffsetParameter(With("offset", "-5")), 0);
  EXPECT_EQ(OffsetParameter(With("offset", "x")), 0);
  EXPECT_EQ(OffsetParameter(With("offset", "7")), 7);
  EXPECT_EQ(OffsetParameter(With("offset", "99999999999999999999999")),
            std::numeric_limits<std::int64_t>::max());
}

TEST(ParametersTest, IntegersAndNumbersAreCheckedAgainstTheirRange) {
  EXPECT_EQ(IntegerParameter(With("n", "3"), "n", 1, 5), 3);
  EXPECT_EQ(IntegerParameter(With("n", ""), "n", 1, 5), std::nullopt);
  EXPECT_THAT(Refusal([] { IntegerParameter(With("n", "6"), "n", 1, 5); }), HasSubstr("from 1 to 5"));
  EXPECT_EQ(NumberParameter(With("x", "-0.5"), "x", -1, 1), -0.5);
  for (const char* text : {"nan", "inf", "1e999", "0.5x", "2"}) {
    EXPECT_THAT(Refusal([&] { NumberParameter(With("x", text), "x", -1, 1); }), HasSubstr("a number"))
        << text;
  }
}

TEST(ParametersTest, BooleansAreReadInAnyCase) {
  EXPECT_EQ(BooleanParameter(With("b", "TRUE"), "b"), true);
  EXPECT_EQ(BooleanParameter(With("b", "0"), "b"), false);
  EXPECT_EQ(BooleanParameter(Request{}, "b"), std::nullopt);
  EXPECT_THAT(Refusal([] { BooleanParameter(With("b", "maybe"), "b"); }), HasSubstr("true or false"));
}

TEST(ParametersTest, TimesNeedAnOffset) {
  EXPECT_EQ(TimeParameter(With("from", "2026-01-31T12:00:00Z"), "from"),
            TimeParameter(With("from", "2026-01-31T13:00:00+01:00"), "from"));
  for (const char* text : {"yesterday", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z"}) {
    EXPECT_THAT(Refusal([&] { TimeParameter(With("from", text), "from"); }), HasSubstr(text));
  }
}

TEST(ParametersTest, PublicKeysAreReadInAnyCase) {
  const std::string upper(64, 'A');
  EXPECT_EQ(PublicKeyParameter(With("k", upper), "k")->ToHex(), std::string(64, 'a'));
  Request request;
  request.path_parameters = {{"pubkey", "xyz"}};
  EXPECT_THAT(Refusal([&] { PublicKeyInPath(request); }), HasSubstr("64 hexadecimal digits"));
}

TEST(ParametersTest, RegionsAreTrimmedUpperCasedAndSorted) {
  EXPECT_THAT(RegionParameter(With("region", " sjc, lax,,SJC ")).codes, ElementsAre("LAX", "SJC"));
  for (const char* text : {"", "ALL", "all", "SJC,All", " , "}) {
    EXPECT_TRUE(RegionParameter(With("region", text)).all()) << text;
  }
}

TEST(ParametersTest, ChoicesAreNamedWhenAnotherIsSent) {
  enum class Sort { kName, kTime };
  const auto read = [](const Request& request) {
    return EnumParameter<Sort>(request, "sort", {{"name", Sort::kName}, {"time", Sort::kTime}});
  };
  EXPECT_EQ(read(With("sort", "time")), Sort::kTime);
  EXPECT_EQ(read(Request{}), std::nullopt);
  EXPECT_THAT(Refusal([&] { read(With("sort", "Name")); }), HasSubstr("one of name time"));
}

TEST(ParametersTest, CursorsComeBackAsTheyWere) {
  const std::array<CursorField, 3> key{std::int64_t{-7}, std::string("a\"b\xC3\xA9"),
                                       std::numeric_limits<std::int64_t>::max()};
  const std::string token = EncodeCursor("nodes/time", key);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_THAT(DecodeCursor("nodes/time", 3, token).value(), ElementsAre(key[0], key[1], key[2]));
}

TEST(ParametersTest, CursorsOfOtherListsAndForeignTextsAreRefused) {
  const std::array<CursorField, 1> key{std::int64_t{1}};
  const std::string token = EncodeCursor("nodes", key);
  EXPECT_EQ(DecodeCursor("packets", 1, token), std::nullopt);
  EXPECT_EQ(DecodeCursor("nodes", 2, token), std::nullopt);
  for (std::size_t cut = 0; cut < token.size(); ++cut) {
    EXPECT_EQ(DecodeCursor("nodes", 1, token.substr(0, cut)), std::nullopt) << cut;
  }
  EXPECT_THAT(Refusal([] { CursorParameter(With("cursor", "!!"), "nodes", 1); }), HasSubstr("cursor"));
  EXPECT_EQ(DecodeCursor("nodes", 1, EncodeCursor("nodes", key) + "="), std::nullopt);
}

TEST(ParametersTest, LongValuesAreCutInTheErrorText) {
  const std::string detail = Refusal([] { BooleanParameter(With("b", std::string(5000, 'x')), "b"); });
  EXPECT_LT(detail.size(), 250U);
}

}  // namespace
}  // namespace heliograph::server
