#include "common/time.h"

#include <gtest/gtest.h>

namespace heliograph {
namespace {

std::int64_t MillisOf(std::string_view text) {
  return ParseTime(text).value().time.time_since_epoch().count();
}

TEST(TimeTest, ReadsZonesAndFractions) {
  EXPECT_EQ(MillisOf("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(MillisOf("2024-02-29T12:34:56Z"), 1709210096000);
  EXPECT_EQ(MillisOf("2024-02-29 12:34:56.7891Z"), 1709210096789);
  EXPECT_EQ(MillisOf("2024-02-29T14:34:56+02:00"), 1709210096000);
  EXPECT_EQ(MillisOf("2024-02-29T08:04:56-04:30"), 1709210096000);
  EXPECT_EQ(MillisOf("2024-02-29T12:34:56.5"), 1709210096500);
}

TEST(TimeTest, KnowsWhetherAZoneWasStated) {
  EXPECT_EQ(ParseTime("2024-01-01T12:00:00.000000")->zone, TimeZoneKnowledge::kNaive);
  EXPECT_EQ(ParseTime("2024-01-01T12:00:00Z")->zone, TimeZoneKnowledge::kStated);
  EXPECT_EQ(ParseTime("2024-01-01T12:00:00+00:00")->zone, TimeZoneKnowledge::kStated);
}

TEST(TimeTest, OtherFormsAndImpossibleMomentsAreRefused) {
  for (const char* text : {"",
                           "2024",
                           "2024-01-01",
                           "2024-01-01T12:00",
                           "2023-02-29T00:00:00Z",
                           "2024-13-01T00:00:00Z",
                           "2024-00-01T00:00:00Z",
                           "2024-01-32T00:00:00Z",
                           "2024-01-01T24:00:00Z",
                           "2024-01-01T12:60:00Z",
                           "2024-01-01T12:00:60Z",
                           "2024-01-01T12:00:00.Z",
                           "2024-01-01T12:00:00ZZ",
                           "2024-01-01T12:00:00+2:00",
                           "2024-01-01T12:00:00+0200",
                           "2024-01-01T12:00:00+24:00",
                           "2024-01-01T12:00:00 Z",
                           "2024-01-01t12:00:00Z",
                           " 2024-01-01T12:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "12024-01-01T12:00:00Z",
                           "2024-1-1T12:00:00Z",
                           "2024/01/01T12:00:00Z",
                           "-024-01-01T12:00:00Z"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(TimeTest, WritesMillisecondsOnlyWhenThereAreAny) {
  EXPECT_EQ(FormatTime(UtcMillis(std::chrono::milliseconds(1709210096000))), "2024-02-29T12:34:56Z");
  EXPECT_EQ(FormatTime(UtcMillis(std::chrono::milliseconds(1709210096007))), "2024-02-29T12:34:56.007Z");
  EXPECT_EQ(FormatTime(UtcMillis{}), "1970-01-01T00:00:00Z");
}

}  // namespace
}  // namespace heliograph
