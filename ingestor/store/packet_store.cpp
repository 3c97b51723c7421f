#include "ingestor/store/packet_store.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

// Far above what the observers of a large mesh hear of one flood: more is one frame replayed with invented
// paths.
constexpr std::size_t kMostReceptions = 10'000;

std::uint64_t Fingerprint(std::int64_t observer, std::uint8_t path_len, ByteView path) {
  std::string text(sizeof observer + 1, '\0');
  for (std::size_t i = 0; i < sizeof observer; ++i) text[i] = static_cast<char>(observer >> (8 * i));
  text[sizeof observer] = static_cast<char>(path_len);
  text.append(path.begin(), path.end());
  return std::hash<std::string_view>{}(text);
}

std::optional<std::int64_t> PackedCodes(const Packet& packet) {
  if (!packet.transport_codes) return std::nullopt;
  return std::int64_t{packet.transport_codes->scope} | std::int64_t{packet.transport_codes->reserved} << 16;
}

std::optional<std::int64_t> Widen(const std::optional<std::int16_t>& value) {
  return value ? std::optional<std::int64_t>(*value) : std::nullopt;
}

constexpr std::int64_t kMillisPerSecond = 1000;

std::int64_t MaxId(SQLite::Database& database, const char* table) {
  return database.execAndGet(std::string("SELECT coalesce(max(id), 0) FROM ") + table).getInt64();
}

std::int64_t HighWater(SQLite::Database& database, const char* name) {
  return database.execAndGet(std::string("SELECT CAST(value AS INTEGER) FROM meta WHERE key='") + name + "'")
      .getInt64();
}

}  // namespace

std::int64_t ObservationFlags(Direction direction, DeviceTimeTrust trust) {
  return static_cast<std::int64_t>(direction) | static_cast<std::int64_t>(trust) << 2;
}

PacketStore::PacketStore(SQLite::Database& database, Memory memory)
    : database_(database),
      memory_(memory),
      select_(database,
              "SELECT id, base_time, first_seen, last_seen, observation_count, channel, scope, origin_key"
              " FROM transmissions WHERE content_hash=?"),
      select_receptions_(database,
                         "SELECT observer_key, path_len, path FROM observations WHERE transmission_id=?"),
      insert_(database,
              "INSERT INTO transmissions(id, content_hash, payload_type, payload, base_time, first_seen, "
              "last_seen,"
              " observation_count, origin_key, channel, scope) VALUES (?,?,?,?,?,?,?,?,?,?,?)"),
      update_(database,
              "UPDATE transmissions SET first_seen=?, last_seen=?, observation_count=?, channel=?, scope=? "
              "WHERE id=?"),
      insert_observation_(
          database,
          "INSERT INTO observations(id, transmission_id, observer_key, received_after, route, path_len,"
          " path, transport_codes, device_offset, flags, snr, rssi) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"),
      recent_(memory.transmissions) {
  Prepare();
}

void PacketStore::Forget() noexcept {
  recent_.Clear();
  remembered_receptions_ = 0;
  touched_.clear();
  ids_known_ = false;
}

void PacketStore::Prepare() {
  if (ids_known_) return;
  next_transmission_ =
      std::max(MaxId(database_, "transmissions"), HighWater(database_, "transmission_high_water")) + 1;
  next_observation_ =
      std::max(MaxId(database_, "observations"), HighWater(database_, "observation_high_water")) + 1;
  ids_known_ = true;
}

std::shared_ptr<PacketStore::Transmission> PacketStore::Find(const ContentHash& hash) {
  if (auto* known = recent_.Find(hash)) return *known;
  RowBinder row(select_);
  if (!row.Blob(hash.bytes()).Step()) {
    select_.tryReset();
    return nullptr;
  }
  auto transmission = std::make_shared<Transmission>();
  transmission->id = select_.getColumn(0).getInt64();
  transmission->base_ms = select_.getColumn(1).getInt64();
  transmission->first_ms = select_.getColumn(2).getInt64();
  transmission->last_ms = select_.getColumn(3).getInt64();
  transmission->observation_count = select_.getColumn(4).getInt64();
  transmission->channel = OptionalText(select_.getColumn(5));
  transmission->scope = OptionalText(select_.getColumn(6));
  if (!select_.getColumn(7).isNull()) transmission->origin = IdentityKey{select_.getColumn(7).getInt64()};
  transmission->stored = true;
  select_.tryReset();
  LoadReceptions(*transmission);
  Remember(hash, transmission);
  return transmission;
}

void PacketStore::Remember(const ContentHash& hash, std::shared_ptr<Transmission> transmission) {
  if (recent_.size() >= memory_.transmissions) ForgetOldest();
  remembered_receptions_ += transmission->receptions.size();
  recent_.Insert(hash, std::move(transmission));
}

void PacketStore::ForgetOldest() {
  remembered_receptions_ -= recent_.TakeOldest()->receptions.size();
}

void PacketStore::LoadReceptions(Transmission& transmission) {
  RowBinder row(select_receptions_);
  row.Integer(transmission.id);
  while (row.Step()) {
    const auto path = select_receptions_.getColumn(2);
    transmission.receptions.push_back(
        Fingerprint(select_receptions_.getColumn(0).getInt64(),
                    static_cast<std::uint8_t>(select_receptions_.getColumn(1).getInt()),
                    ByteView(static_cast<const std::uint8_t*>(path.getBlob()),
                             static_cast<std::size_t>(path.getBytes()))));
  }
  select_receptions_.tryReset();
  std::ranges::sort(transmission.receptions);
}

std::shared_ptr<PacketStore::Transmission> PacketStore::Create(const PreparedPacket& packet,
                                                               std::optional<IdentityKey> origin) {
  auto transmission = std::make_shared<Transmission>();
  transmission->id = next_transmission_++;
  transmission->base_ms = packet.received_at.time_since_epoch().count();
  transmission->first_ms = transmission->last_ms = transmission->base_ms;
  transmission->channel = packet.channel;
  transmission->origin = origin;
  transmission->type = packet.packet.payload_type;
  transmission->payload = packet.packet.payload;
  Remember(packet.hash, transmission);
  return transmission;
}

StoredPacket PacketStore::Add(const PreparedPacket& packet, IdentityKey observer,
                              std::optional<IdentityKey> origin) {
  auto transmission = Find(packet.hash);
  StoredPacket result;
  result.new_transmission = transmission == nullptr;
  if (!transmission) transmission = Create(packet, origin);
  result.transmission_id = transmission->id;

  const std::uint64_t reception =
      Fingerprint(static_cast<std::int64_t>(observer), packet.packet.path_length.byte(), packet.packet.path);
  auto& known = transmission->receptions;
  const auto place = std::ranges::lower_bound(known, reception);
  if (place != known.end() && *place == reception) return result;
  result.over_limit = known.size() >= kMostReceptions;
  if (result.over_limit) return result;
  known.insert(place, reception);
  ++remembered_receptions_;
  result.new_observation = true;
  InsertObservation(packet, observer, *transmission);

  const std::int64_t received_ms = packet.received_at.time_since_epoch().count();
  transmission->first_ms = std::min(transmission->first_ms, received_ms);
  transmission->last_ms = std::max(transmission->last_ms, received_ms);
  ++transmission->observation_count;
  // A scope that a key explains is worth more than one that none does, and that more than none at all.
  if (packet.scope && (!transmission->scope || transmission->scope->empty()))
    transmission->scope = packet.scope;
  if (!transmission->dirty) {
    transmission->dirty = true;
    touched_.emplace_back(packet.hash, transmission);
  }
  // A row that is not written yet must not be forgotten.
  const bool crowded = remembered_receptions_ > memory_.receptions;
  if (crowded || touched_.size() >= memory_.transmissions / 2) Flush();
  // Half at once, so that what is forgotten costs one Flush and not one for each packet.
  while (crowded && remembered_receptions_ > memory_.receptions / 2 && recent_.size() > 1) ForgetOldest();
  return result;
}

void PacketStore::InsertObservation(const PreparedPacket& packet, IdentityKey observer,
                                    const Transmission& transmission) {
  const Packet& frame = packet.packet;
  RowBinder row(insert_observation_);
  row.Integer(next_observation_++)
      .Integer(transmission.id)
      .Key(observer)
      .Integer(packet.received_at.time_since_epoch().count() - transmission.base_ms)
      .Integer(static_cast<std::int64_t>(frame.route))
      .Integer(frame.path_length.byte())
      .BlobOrNull(frame.path)
      .Integer(PackedCodes(frame));
  if (packet.device_time.trust == DeviceTimeTrust::kAbsent) {
    row.Null();
  } else {
    row.Integer(packet.device_time.offset_ms / kMillisPerSecond);
  }
  row.Integer(ObservationFlags(packet.direction, packet.device_time.trust))
      .Integer(Widen(packet.snr_quarter_db))
      .Integer(Widen(packet.rssi_dbm))
      .Run();
}

void PacketStore::Flush() {
  for (auto& [hash, transmission] : touched_) Write(hash, *transmission);
  touched_.clear();
}

void PacketStore::Write(const ContentHash& hash, Transmission& transmission) {
  if (transmission.stored) {
    RowBinder(update_)
        .Integer(transmission.first_ms)
        .Integer(transmission.last_ms)
        .Integer(transmission.observation_count)
        .Text(transmission.channel)
        .Text(transmission.scope)
        .Integer(transmission.id)
        .Run();
  } else {
    RowBinder(insert_)
        .Integer(transmission.id)
        .Blob(hash.bytes())
        .Integer(static_cast<std::int64_t>(transmission.type))
        .Blob(transmission.payload)
        .Integer(transmission.base_ms)
        .Integer(transmission.first_ms)
        .Integer(transmission.last_ms)
        .Integer(transmission.observation_count)
        .Key(transmission.origin)
        .Text(transmission.channel)
        .Text(transmission.scope)
        .Run();
    transmission.stored = true;
    transmission.payload = Bytes();
  }
  transmission.dirty = false;
}

}  // namespace heliograph::ingestor
