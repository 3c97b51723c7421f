#include "ingestor/source_watchdog.h"

#include <gtest/gtest.h>

namespace heliograph::ingestor {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SourceWatchdogTest : public testing::Test {
 protected:
  SourceWatchdog::Clock::time_point At(seconds s) { return SourceWatchdog::Clock::time_point(s); }
  SourceWatchdog watchdog_{{}, "tag", At(seconds(0))};
};

TEST_F(SourceWatchdogTest, IsQuietWhileMessagesCome) {
  watchdog_.OnConnected(At(seconds(1)));
  for (int m = 0; m < 60; ++m) {
    watchdog_.OnReceived(At(minutes(m)));
    EXPECT_EQ(watchdog_.Check(At(minutes(m) + seconds(30))).alarm, SourceAlarm::kNone);
  }
}

TEST_F(SourceWatchdogTest, SilenceIsToldOnceRemindedHourlyAndEndsWithAMessage) {
  watchdog_.OnConnected(At(seconds(0)));
  watchdog_.OnReceived(At(seconds(10)));
  const WatchdogVerdict edge = watchdog_.Check(At(minutes(6)));
  EXPECT_EQ(edge.alarm, SourceAlarm::kSilent);
  EXPECT_TRUE(edge.raised && edge.reconnect && !edge.reminder);
  const WatchdogVerdict again = watchdog_.Check(At(minutes(6) + seconds(30)));
  EXPECT_FALSE(again.raised || again.reminder || again.reconnect);
  EXPECT_TRUE(watchdog_.Check(At(minutes(67))).reminder);
  watchdog_.OnReceived(At(minutes(68)));
  EXPECT_TRUE(watchdog_.Check(At(minutes(68))).recovered);
  EXPECT_FALSE(watchdog_.Check(At(minutes(69))).recovered);
}

TEST_F(SourceWatchdogTest, AForcedReconnectDoesNotForgetThatMessagesCame) {
  watchdog_.OnConnected(At(seconds(0)));
  watchdog_.OnReceived(At(seconds(10)));
  EXPECT_TRUE(watchdog_.Check(At(minutes(6))).reconnect);
  watchdog_.OnDisconnected(At(minutes(6)));
  watchdog_.OnConnected(At(minutes(6) + seconds(1)));
  const WatchdogVerdict after = watchdog_.Check(At(minutes(8)));
  EXPECT_EQ(after.alarm, SourceAlarm::kSilent);
  EXPECT_FALSE(after.raised || after.recovered);
  EXPECT_TRUE(after.reconnect) << "a half-open path is tried again";
}

TEST_F(SourceWatchdogTest, ReconnectsGetRarerUpToOneAnHour) {
  watchdog_.OnConnected(At(seconds(0)));
  int forced = 0;
  for (int m = 5; m < 24 * 60; ++m) forced += watchdog_.Check(At(minutes(m))).reconnect ? 1 : 0;
  EXPECT_GE(forced, 24);
  EXPECT_LE(forced, 31);
}

TEST_F(SourceWatchdogTest, NeverReceivedFiresEvenWhenTheConnectionFlaps) {
  bool alarmed = false;
  for (int m = 0; m < 15 && !alarmed; ++m) {
    watchdog_.OnConnected(At(minutes(m)));
    alarmed = watchdog_.Check(At(minutes(m) + seconds(40))).alarm == SourceAlarm::kNeverReceived;
    watchdog_.OnDisconnected(At(minutes(m) + seconds(45)));
  }
  EXPECT_TRUE(alarmed);
}

TEST_F(SourceWatchdogTest, DisconnectionIsNoRecoveryFromSilence) {
  watchdog_.OnConnected(At(seconds(0)));
  EXPECT_TRUE(watchdog_.Check(At(minutes(5))).raised);
  watchdog_.OnDisconnected(At(minutes(5)));
  EXPECT_FALSE(watchdog_.Check(At(minutes(6))).recovered);
  EXPECT_EQ(watchdog_.Check(At(minutes(11))).alarm, SourceAlarm::kDisconnected);
}

TEST_F(SourceWatchdogTest, AnOutageIsNoSilence) {
  watchdog_.OnConnected(At(seconds(0)));
  watchdog_.OnReceived(At(seconds(1)));
  watchdog_.OnDisconnected(At(seconds(2)));
  EXPECT_EQ(watchdog_.Check(At(minutes(4))).alarm, SourceAlarm::kNone);
  EXPECT_EQ(watchdog_.Check(At(minutes(10))).alarm, SourceAlarm::kDisconnected);
  watchdog_.OnConnected(At(hours(2)));
  EXPECT_TRUE(watchdog_.Check(At(hours(2) + seconds(1))).recovered);
  EXPECT_EQ(watchdog_.Check(At(hours(2) + minutes(4))).alarm, SourceAlarm::kNone);
}

TEST_F(SourceWatchdogTest, ALongDisconnectionForcesAReconnectAfterItsPatience) {
  EXPECT_FALSE(watchdog_.Check(At(minutes(24))).reconnect);
  EXPECT_TRUE(watchdog_.Check(At(minutes(26) + seconds(1))).reconnect)
      << "five thresholds and at most a minute";
  EXPECT_FALSE(watchdog_.Check(At(minutes(26) + seconds(30))).reconnect);
}

}  // namespace
}  // namespace heliograph::ingestor
