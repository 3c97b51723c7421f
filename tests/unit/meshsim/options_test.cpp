#include <gtest/gtest.h>

#include "tests/meshsim/options.h"

namespace heliograph::meshsim {
namespace {

constexpr UtcMillis kNow{std::chrono::milliseconds(1'800'000'000'000)};

TEST(MeshsimOptions, ARunLastsADayUnlessTold) {
  EXPECT_EQ(ParseOptions({}, kNow)->days, 1);
  EXPECT_EQ(ParseOptions({"--messages", "5"}, kNow)->days, std::nullopt);
}

TEST(MeshsimOptions, ARateMeansLiveFromNow) {
  const auto options = ParseOptions({"--rate", "20"}, kNow);
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(options->live);
  EXPECT_EQ(options->start, kNow);
  EXPECT_EQ(options->days, std::nullopt);
}

TEST(MeshsimOptions, ABrokerIsServedLiveAndNothingIsPrintedUnlessTold) {
  const auto options = ParseOptions({"--mqtt", "mqtt://localhost"}, kNow);
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(options->live);
  EXPECT_EQ(options->out, "");
  EXPECT_EQ(ParseOptions({"--mqtt", "mqtt://localhost", "--out", "-"}, kNow)->out, "-");
}

TEST(MeshsimOptions, ASpeedRunsFromTheStartForADay) {
  const auto options = ParseOptions({"--mqtt", "mqtt://localhost", "--speed", "60"}, kNow);
  ASSERT_TRUE(options.has_value());
  EXPECT_FALSE(options->live);
  EXPECT_EQ(options->days, 1);
  EXPECT_EQ(FormatTime(options->start), "2026-01-01T00:00:00Z");
}

TEST(MeshsimOptions, StartIsReadWithItsZone) {
  const auto options = ParseOptions({"--start", "2026-03-01T01:00:00+01:00"}, kNow);
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(FormatTime(options->start), "2026-03-01T00:00:00Z");
}

TEST(MeshsimOptions, WrongUsageExitsWith2) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--nodes", "0"},
      {"--regions", "17"},
      {"--legacy-share", "1.5"},
      {"--start", "yesterday"},
      {"--start", "2026-03-01T01:00:00"},
      {"--live", "--start", "2026-03-01T01:00:00Z"},
      {"--observations-per-transmission", "0.5"},
      {"--truth", "t", "--upgrade", "abc"},
      {"--best-upgrades", "5"},
      {"--community-changes", "2", "--regions", "1"},
      {"--community-changes", "2", "--messages", "9"},
      {"--resettlements", "2", "--messages", "9"},
      {"--resettlements", "3", "--days", "9", "--nodes", "2"},
      {"--speed", "2", "--rate", "2"},
      {"--mqtt", "mqtt://localhost", "--start", "2026-03-01T01:00:00Z"},
      {"--what"}};
  for (const auto& arguments : wrong) {
    const auto options = ParseOptions(arguments, kNow);
    ASSERT_FALSE(options.has_value()) << arguments[0];
    EXPECT_EQ(options.error().code, 2);
    EXPECT_FALSE(options.error().text.empty());
  }
}

TEST(MeshsimOptions, UpgradesAreKeysWithCommas) {
  const std::string one(64, 'a'), two(64, 'B');
  const auto options = ParseOptions({"--truth", "t", "--upgrade", one + "," + two}, kNow);
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->upgrade, (std::vector{*PublicKey::FromHex(one), *PublicKey::FromHex(two)}));
}

TEST(MeshsimOptions, HelpExitsWith0) {
  EXPECT_EQ(ParseOptions({"--help"}, kNow).error().code, 0);
}

}  // namespace
}  // namespace heliograph::meshsim
