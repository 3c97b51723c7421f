#include "common/airtime.h"

#include <gtest/gtest.h>

namespace heliograph {
namespace {

constexpr RadioSettings kNarrow{869.6, 62.5, 8, 5};

TEST(AirtimeTest, GoldenDurations) {
  EXPECT_NEAR(Airtime(kNarrow, 8)->count(), 242.688, 1e-9);
  EXPECT_NEAR(Airtime(kNarrow, 16)->count(), 283.648, 1e-9);
  EXPECT_NEAR(Airtime(kNarrow, 32)->count(), 365.568, 1e-9);
  EXPECT_NEAR(Airtime(kNarrow, 64)->count(), 529.408, 1e-9);
  EXPECT_NEAR(Airtime({869.6, 125, 11, 5}, 8)->count(), 626.688, 1e-9);
}

TEST(AirtimeTest, ImpossibleSettingsHaveNone) {
  EXPECT_FALSE(Airtime({869.6, 62.5, 5, 5}, 8));
  EXPECT_FALSE(Airtime({869.6, 62.5, 13, 5}, 8));
  EXPECT_FALSE(Airtime({869.6, 0, 8, 5}, 8));
  EXPECT_FALSE(Airtime({869.6, -1, 8, 5}, 8));
  EXPECT_FALSE(Airtime({869.6, 62.5, 8, 4}, 8));
  EXPECT_FALSE(Airtime({869.6, 62.5, 8, 9}, 8));
  EXPECT_FALSE(Airtime(kNarrow, 0));
  EXPECT_FALSE(Airtime(kNarrow, 256));
}

TEST(AirtimeTest, ReadsWhatObserversPublish) {
  EXPECT_EQ(ParseRadioSettings("910.525,62.5,7,5"), (RadioSettings{910.525, 62.5, 7, 5}));
  EXPECT_EQ(ParseRadioSettings("869.6, 62.5, 8, 5"), kNarrow);
}

TEST(AirtimeTest, OtherTextsAreNoSettings) {
  for (const char* text : {"", "910.525,62.5,7", "910.525,62.5,7,5,1", "a,b,c,d", "910.525,62.5,7,4",
                           "910,62.5,7x,5", "0,62.5,7,5", "nan,62.5,7,5", "910,inf,7,5", ",,,"}) {
    EXPECT_FALSE(ParseRadioSettings(text)) << text;
  }
}

}  // namespace
}  // namespace heliograph
