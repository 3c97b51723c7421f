#include "tests/unit/ingestor/store/store_fixture.h"

#include "dbschema/migrate.h"

namespace heliograph::ingestor {
namespace {

PreparedPacket Heard(Packet frame, std::uint8_t observer, UtcMillis at) {
  PreparedPacket packet;
  packet.observer.key = KeyOf(observer);
  packet.observer.iata = "SJC";
  packet.received_at = at;
  packet.direction = Direction::kReceived;
  packet.hash = frame.Hash();
  packet.packet = std::move(frame);
  return packet;
}

}  // namespace

PublicKey KeyOf(std::uint8_t fill) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  bytes.fill(fill);
  return PublicKey(bytes);
}

PreparedPacket HeardPacket(std::uint8_t payload, std::uint8_t observer, std::size_t hops, UtcMillis at) {
  Packet frame;
  frame.payload_type = PayloadType::kRawCustom;
  frame.path_length = *PathLength::Of(1, hops);
  frame.path = Bytes(hops, 0xA1);
  frame.payload = {payload};
  return Heard(std::move(frame), observer, at);
}

PreparedPacket HeardAdvert(std::uint8_t node, const std::string& name, std::uint32_t timestamp,
                           UtcMillis at) {
  Advert advert;
  advert.public_key = KeyOf(node);
  advert.timestamp = timestamp;
  advert.app_data = EncodeAdvertAppData(NodeType::kRepeater, std::nullopt, name);
  advert.type = NodeType::kRepeater;
  if (!name.empty()) advert.name = name;
  Packet frame;
  frame.payload_type = PayloadType::kAdvert;
  frame.payload = EncodeAdvert(advert);
  auto packet = Heard(std::move(frame), 0xEE, at);
  packet.advert = advert;
  return packet;
}

StoreTest::StoreTest() {
  auto database = dbschema::OpenForWriting(folder_ / "h.db");
  dbschema::Migrate(database);
  store_ = std::make_unique<MeshStore>(std::move(database), MeshStore::Options{});
}

std::int64_t StoreTest::Count(const std::string& table_and_condition) {
  return store_->database().execAndGet("SELECT count(*) FROM " + table_and_condition).getInt64();
}

std::string StoreTest::Text(const std::string& query) {
  SQLite::Statement row(store_->database(), query);
  if (!row.executeStep()) return "(no row)";
  return row.getColumn(0).isNull() ? "NULL" : row.getColumn(0).getString();
}

}  // namespace heliograph::ingestor
