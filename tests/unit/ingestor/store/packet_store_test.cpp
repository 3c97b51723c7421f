#include "ingestor/store/packet_store.h"

#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::seconds;
using PacketStoreTest = StoreTest;

TEST_F(PacketStoreTest, KeepsOneTransmissionForManyReceptions) {
  Store(HeardPacket(1, 0x01, 0), HeardPacket(1, 0x02, 1), HeardPacket(1, 0x02, 2));
  EXPECT_EQ(Count("transmissions"), 1);
  EXPECT_EQ(Count("observations"), 3);
  EXPECT_EQ(Text("SELECT observation_count FROM transmissions"), "3");
}

TEST_F(PacketStoreTest, CountsADuplicateInsteadOfStoringIt) {
  Store(HeardPacket(1, 0x01, 1), HeardPacket(1, 0x01, 1, kNoon + seconds(9)));
  EXPECT_EQ(Count("observations"), 1);
  EXPECT_EQ(store_->counters().duplicates, 1);
}

TEST_F(PacketStoreTest, KnowsADuplicateThatItHasForgotten) {
  Store(HeardPacket(1, 0x01, 1));
  StoreTransaction(*store_).Commit();
  store_->packets().Forget();
  Store(HeardPacket(1, 0x01, 1), HeardPacket(1, 0x01, 2));
  EXPECT_EQ(Count("observations"), 2);
  EXPECT_EQ(Text("SELECT observation_count FROM transmissions"), "2");
}

TEST_F(PacketStoreTest, KnowsEveryDuplicateHoweverLittleItRemembers) {
  const StoreTransaction transaction(*store_);
  PacketStore small(store_->database(), {.transmissions = 3, .receptions = 4});
  for (const bool first_time : {true, false}) {
    for (std::uint8_t hops = 0; hops < 3; ++hops) {
      for (std::uint8_t number = 1; number <= 5; ++number) {
        const auto stored = small.Add(HeardPacket(number, 0x01, hops), IdentityKey{1}, std::nullopt);
        EXPECT_EQ(stored.new_observation, first_time) << int{number} << " after " << int{hops} << " hops";
      }
    }
  }
  small.Flush();
  EXPECT_EQ(Count("transmissions"), 5);
  EXPECT_EQ(Count("observations"), 15);
}

TEST_F(PacketStoreTest, SpansFirstAndLastSeenWhateverTheOrder) {
  Store(HeardPacket(1, 0x01, 0, kNoon));
  Store(HeardPacket(1, 0x02, 0, kNoon + seconds(5)));
  Store(HeardPacket(1, 0x03, 0, kNoon - seconds(7)));
  EXPECT_EQ(Text("SELECT last_seen - first_seen FROM transmissions"), "12000");
  EXPECT_EQ(Text("SELECT min(base_time + received_after) - max(first_seen) FROM observations, transmissions"),
            "0");
}

TEST_F(PacketStoreTest, LeavesNothingOfATransactionThatIsRolledBack) {
  {
    StoreTransaction transaction(*store_);
    store_->Take(HeardPacket(1, 0x01, 0));
  }
  EXPECT_EQ(Count("observations"), 0);
  EXPECT_EQ(store_->counters().observations, 0);
  Store(HeardPacket(1, 0x01, 0));
  EXPECT_EQ(Count("transmissions"), 1);
  EXPECT_EQ(Text("SELECT id FROM observations"), "1");
}

TEST_F(PacketStoreTest, RebuildsTheFrameFromWhatItStored) {
  auto heard = HeardPacket(7, 0x01, 2);
  heard.packet.route = RouteType::kTransportFlood;
  heard.packet.transport_codes = TransportCodes{0xB52A, 0xFFEE};
  Store(heard);
  SQLite::Statement row(
      store_->database(),
      "SELECT route, path_len, path, transport_codes, payload_type, payload FROM observations"
      " JOIN transmissions AS t ON t.id = transmission_id");
  ASSERT_TRUE(row.executeStep());
  Packet rebuilt;
  rebuilt.route = static_cast<RouteType>(row.getColumn(0).getInt());
  rebuilt.path_length = *PathLength::FromByte(static_cast<std::uint8_t>(row.getColumn(1).getInt()));
  const auto path = row.getColumn(2).getString();
  rebuilt.path.assign(path.begin(), path.end());
  const auto codes = row.getColumn(3).getInt64();
  rebuilt.transport_codes =
      TransportCodes{static_cast<std::uint16_t>(codes & 0xFFFF), static_cast<std::uint16_t>(codes >> 16)};
  rebuilt.payload_type = static_cast<PayloadType>(row.getColumn(4).getInt());
  const auto payload = row.getColumn(5).getString();
  rebuilt.payload.assign(payload.begin(), payload.end());
  EXPECT_EQ(EncodeFrame(rebuilt), EncodeFrame(heard.packet));
}

TEST_F(PacketStoreTest, NeverLowersWhatIsKnownOfAScope) {
  auto unknown_scope = HeardPacket(1, 0x01, 0), named = HeardPacket(1, 0x02, 0),
       unscoped = HeardPacket(1, 0x03, 0);
  unknown_scope.scope = "";
  named.scope = "#test";
  Store(unscoped, unknown_scope);
  EXPECT_EQ(Text("SELECT scope FROM transmissions"), "");
  Store(named);
  auto later = HeardPacket(1, 0x04, 0);
  later.scope = "";
  Store(later);
  EXPECT_EQ(Text("SELECT scope FROM transmissions"), "#test");
}

}  // namespace
}  // namespace heliograph::ingestor
