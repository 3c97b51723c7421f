#include "ingestor/store/observer_store.h"

#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ObserverStoreTest = StoreTest;

PreparedStatus Said(UtcMillis at) {
  PreparedStatus status;
  status.observer.key = KeyOf(0x01);
  status.observer.iata = "SJC";
  status.received_at = at;
  status.online = true;
  return status;
}

TEST_F(ObserverStoreTest, CountsPacketsAndNeitherStatusesNorDuplicates) {
  Store(HeardPacket(1, 0x01, 0), HeardPacket(1, 0x01, 0), HeardPacket(2, 0x01, 0), Said(kNoon));
  EXPECT_EQ(Text("SELECT packet_count FROM observers"), "2");
}

TEST_F(ObserverStoreTest, TakesARetainedStatusForNoProofOfLife) {
  Store(HeardPacket(1, 0x01, 0));
  auto retained = Said(kNoon + hours(5));
  retained.retained = true;
  retained.model = "RAK";
  Store(retained);
  EXPECT_EQ(Text("SELECT last_seen FROM observers"), std::to_string(kNoon.time_since_epoch().count()));
  EXPECT_EQ(Text("SELECT model FROM observers"), "RAK");
}

TEST_F(ObserverStoreTest, TakesAnOfflineWillForNoProofOfLife) {
  Store(HeardPacket(1, 0x01, 0));
  auto will = Said(kNoon + hours(5));
  will.online = false;
  Store(will);
  EXPECT_EQ(Text("SELECT last_seen FROM observers"), std::to_string(kNoon.time_since_epoch().count()));
  EXPECT_EQ(Text("SELECT online FROM observers"), "0");
}

TEST_F(ObserverStoreTest, MakesNoObserverFromARetainedStatus) {
  auto retained = Said(kNoon);
  retained.retained = true;
  Store(retained);
  EXPECT_EQ(Count("observers"), 0);
}

TEST_F(ObserverStoreTest, TakesNothingBackOnTheWordOfAnOldCapture) {
  auto now = Said(kNoon), before = Said(kNoon - hours(50));
  now.firmware = "1.15";
  now.observer.iata = "SFO";
  before.firmware = "1.13";
  Store(now, before);
  EXPECT_EQ(Text("SELECT firmware || iata FROM observers"), "1.15SFO");
}

TEST_F(ObserverStoreTest, KeepsWhatALaterMessageLeavesOut) {
  auto full = Said(kNoon);
  full.observer.name = "Roof";
  full.firmware = "1.15";
  Store(full, Said(kNoon + seconds(1)));
  EXPECT_EQ(Text("SELECT name || firmware FROM observers"), "Roof1.15");
}

TEST_F(ObserverStoreTest, PutsSamplesIntoTheNearestSlotAndWipesNothingThere) {
  auto first = Said(kNoon), second = Said(kNoon + seconds(40));
  first.noise_floor = -110.5;
  second.battery_mv = 4100;
  Store(first, second);
  EXPECT_EQ(Count("observer_metrics"), 1);
  EXPECT_EQ(Text("SELECT noise_floor || '/' || battery_mv FROM observer_metrics"), "-110.5/4100");
  auto third = Said(kNoon + minutes(2));
  third.battery_mv = 4000;
  Store(third);
  EXPECT_EQ(Count("observer_metrics"), 2);
}

TEST_F(ObserverStoreTest, WritesNoSampleForAStatusWithoutFigures) {
  auto status = Said(kNoon);
  status.model = "RAK";
  Store(status);
  EXPECT_EQ(Count("observer_metrics"), 0);
}

TEST_F(ObserverStoreTest, NotesAClockThatShowsLocalTime) {
  auto packet = HeardPacket(1, 0x01, 0);
  packet.device_time = {DeviceTimeTrust::kNaive, -7 * 3'600'000};
  auto later = HeardPacket(2, 0x01, 0, kNoon + minutes(1));
  later.device_time = packet.device_time;
  Store(packet, later);
  EXPECT_EQ(Text("SELECT clock_skew_seconds || '/' || clock_skew_count_24h FROM observers"), "-25200/2");
}

TEST_F(ObserverStoreTest, ReactivatesAnObserverThatSpeaksAgain) {
  Store(HeardPacket(1, 0x01, 0));
  {
    StoreTransaction transaction(*store_);
    EXPECT_EQ(store_->observers().Retire(kNoon + hours(1)), 1U);
    transaction.Commit();
  }
  EXPECT_EQ(Text("SELECT inactive FROM observers"), "1");
  Store(HeardPacket(2, 0x01, 0, kNoon + hours(2)));
  EXPECT_EQ(Text("SELECT inactive FROM observers"), "0");
}

}  // namespace
}  // namespace heliograph::ingestor
