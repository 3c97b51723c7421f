#include "server/routes/packet_page.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>
#include <variant>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

/// Transmissions that are counted between two looks at the clock.
constexpr std::int64_t kCountChunk = 20'000;
constexpr std::chrono::milliseconds kCountLimit{1'500};
/// A scan of so many observations takes about half a second.
constexpr std::int64_t kMaxScannedObservations = 4'000'000;

/// Rows that are passed over in about ten milliseconds.
constexpr std::int64_t kLongOffset = 100'000;

constexpr const char* kTransmissionColumns =
    "t.id, t.content_hash, t.payload_type, t.payload, t.base_time, t.first_seen, t.last_seen, "
    "t.observation_count, "
    "t.channel, t.scope";

using Value = std::variant<std::int64_t, std::string, Bytes>;

/// The text of a WHERE clause on `transmissions AS t` with the values of its question marks.
struct Conditions {
  std::string text = "1";
  std::vector<Value> values;
  bool has_index = false;  ///< few rows are looked at, whatever the size of the table

  void Add(std::string_view condition, Value value) {
    text.append(" AND ").append(condition);
    values.push_back(std::move(value));
  }
};

/// How the condition on observations is asked.
enum class ObservationSearch {
  kByTransmission,  ///< for each transmission in turn: soon done when few are wanted
  kAll,             ///< all observations first: several times faster when every transmission is looked at
};

void AddObservationConditions(const PacketFilter& filter, ObservationSearch search, Conditions& conditions) {
  if (!filter.observers && !filter.route) return;
  conditions.text += search == ObservationSearch::kAll
                         ? " AND t.id IN (SELECT o.transmission_id FROM observations AS o WHERE 1"
                         : " AND EXISTS (SELECT 1 FROM observations AS o WHERE o.transmission_id = t.id";
  if (filter.observers) {
    conditions.Add("o.observer_key IN (SELECT value FROM json_each(?))", JsonList(*filter.observers));
  }
  if (filter.route) conditions.Add("o.route = ?", static_cast<std::int64_t>(*filter.route));
  conditions.text += ')';
}

std::vector<std::int64_t> Numbers(const std::vector<IdentityKey>& keys) {
  std::vector<std::int64_t> numbers;
  for (const IdentityKey key : keys) numbers.push_back(static_cast<std::int64_t>(key));
  return numbers;
}

Conditions ConditionsOf(const PacketFilter& filter, ObservationSearch search) {
  Conditions conditions;
  if (filter.hash) {
    const ByteView bytes = filter.hash->bytes();
    conditions.Add("t.content_hash = ?", Bytes(bytes.begin(), bytes.end()));
  }
  if (filter.origins)
    conditions.Add("t.origin_key IN (SELECT value FROM json_each(?))", JsonList(Numbers(*filter.origins)));
  if (filter.channel) conditions.Add("t.channel = ?", *filter.channel);
  conditions.has_index = filter.hash || filter.origins || filter.channel;
  if (filter.type) conditions.Add("t.payload_type = ?", static_cast<std::int64_t>(*filter.type));
  if (filter.since) conditions.Add("t.first_seen >= ?", filter.since->time_since_epoch().count());
  if (filter.until) conditions.Add("t.first_seen <= ?", filter.until->time_since_epoch().count());
  if (!filter.hidden_origins.empty()) {
    conditions.Add("(t.origin_key IS NULL OR t.origin_key NOT IN (SELECT value FROM json_each(?)))",
                   JsonList(Numbers(filter.hidden_origins)));
  }
  AddObservationConditions(filter, search, conditions);
  return conditions;
}

/// Binds the values from the first parameter on; returns the number of the next.
int Bind(Statement& statement, const Conditions& conditions) {
  int index = 1;
  for (const Value& value : conditions.values) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      statement.bind(index, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      statement.bind(index, *text);
    } else {
      const Bytes& bytes = std::get<Bytes>(value);
      statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
    }
    ++index;
  }
  return index;
}

StoredTransmission ReadTransmission(Statement& row) {
  StoredTransmission transmission;
  transmission.id = row.getColumn(0).getInt64();
  transmission.hash = ContentHash::FromBytes(BytesOf(row.getColumn(1))).value_or(ContentHash());
  transmission.payload_type = static_cast<PayloadType>(row.getColumn(2).getInt() & 15);
  transmission.payload = BytesOf(row.getColumn(3));
  transmission.base_time = TimeOf(row.getColumn(4));
  transmission.first_seen = TimeOf(row.getColumn(5));
  transmission.last_seen = TimeOf(row.getColumn(6));
  transmission.observation_count = row.getColumn(7).getInt64();
  transmission.channel = TextOf(row.getColumn(8));
  transmission.scope = TextOf(row.getColumn(9));
  return transmission;
}

/// Nothing when the row's path is not what its path_len says.
std::optional<StoredObservation> ReadObservation(Statement& row, UtcMillis base_time) {
  StoredObservation observation;
  observation.id = row.getColumn(1).getInt64();
  observation.observer_key = row.getColumn(2).getInt64();
  observation.received_at = base_time + std::chrono::milliseconds(row.getColumn(3).getInt64());
  observation.route = static_cast<RouteType>(row.getColumn(4).getInt() & 3);
  const auto path_length = PathLength::FromByte(static_cast<std::uint8_t>(row.getColumn(5).getInt()));
  observation.path = BytesOf(row.getColumn(6));
  if (!path_length || observation.path.size() != path_length->path_bytes()) return std::nullopt;
  observation.path_length = *path_length;
  if (HasTransportCodes(observation.route)) {
    const auto codes = static_cast<std::uint32_t>(row.getColumn(7).getInt64());
    observation.transport_codes =
        TransportCodes{static_cast<std::uint16_t>(codes & 0xFFFF), static_cast<std::uint16_t>(codes >> 16)};
  }
  observation.direction = static_cast<std::uint8_t>(row.getColumn(8).getInt() & 3);
  observation.snr_quarter_db = NumberOf(row.getColumn(9));
  observation.rssi_dbm = NumberOf(row.getColumn(10));
  return observation;
}

bool IsBetterDisplay(const StoredObservation& candidate, const std::optional<StoredObservation>& present) {
  if (!present) return true;
  const std::size_t candidate_hops = candidate.path_length.hash_count();
  const std::size_t present_hops = present->path_length.hash_count();
  if (candidate_hops != present_hops) return candidate_hops > present_hops;
  return candidate.id < present->id;
}

void SortObservations(StoredTransmission& transmission) {
  auto& keys = transmission.observer_keys;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::sort(transmission.observations.begin(), transmission.observations.end(),
            [](const StoredObservation& a, const StoredObservation& b) { return a.id < b.id; });
}

/// Fills in the observations of all `packets` with one query. `route` restricts which one is displayed.
void AttachObservations(ReaderConnection& reader, std::vector<StoredTransmission>& packets,
                        const std::optional<RouteType>& route, bool keep_all) {
  std::unordered_map<std::int64_t, StoredTransmission*> by_id;
  std::vector<std::int64_t> ids;
  for (StoredTransmission& packet : packets) {
    by_id.emplace(packet.id, &packet);
    ids.push_back(packet.id);
  }
  Statement& rows = reader.Prepared(
      "SELECT o.transmission_id, o.id, o.observer_key, o.received_after, o.route, o.path_len, o.path, "
      "o.transport_codes, o.flags, o.snr, o.rssi "
      "FROM json_each(?) AS wanted CROSS JOIN observations AS o ON o.transmission_id = wanted.value");
  rows.bind(1, JsonList(ids));
  while (rows.executeStep()) {
    StoredTransmission& packet = *by_id.at(rows.getColumn(0).getInt64());
    auto observation = ReadObservation(rows, packet.base_time);
    if (!observation) continue;
    packet.observer_keys.push_back(observation->observer_key);
    if ((!route || observation->route == *route) && IsBetterDisplay(*observation, packet.display)) {
      packet.display = *observation;
    }
    if (keep_all) packet.observations.push_back(std::move(*observation));
  }
  for (StoredTransmission& packet : packets) SortObservations(packet);
}

std::string_view OrderClause(PacketOrder order) {
  switch (order) {
    case PacketOrder::kOldestFirst:
      return "t.id";
    case PacketOrder::kLatestFirst:
      return "t.last_seen DESC, t.id DESC";
    case PacketOrder::kNewestFirst:
      break;
  }
  return "t.id DESC";
}

bool ComesBefore(const StoredTransmission& a, const StoredTransmission& b, PacketOrder order) {
  if (order == PacketOrder::kOldestFirst) return a.id < b.id;
  if (order == PacketOrder::kLatestFirst && a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  return a.id > b.id;
}

std::vector<StoredTransmission> ReadPage(ReaderConnection& reader, const Conditions& conditions,
                                         const PacketWindow& window) {
  Statement& rows = reader.Prepared(std::string("SELECT ") + kTransmissionColumns +
                                    " FROM (SELECT t.id FROM transmissions AS t WHERE " + conditions.text +
                                    " ORDER BY " + std::string(OrderClause(window.order)) +
                                    " LIMIT ? OFFSET ?) AS page JOIN transmissions AS t ON t.id = page.id");
  const int next = Bind(rows, conditions);
  rows.bind(next, window.limit);
  rows.bind(next + 1, window.offset);
  std::vector<StoredTransmission> packets;
  while (rows.executeStep()) packets.push_back(ReadTransmission(rows));
  std::sort(packets.begin(), packets.end(), [&](const StoredTransmission& a, const StoredTransmission& b) {
    return ComesBefore(a, b, window.order);
  });
  return packets;
}

std::int64_t CountRange(ReaderConnection& reader, const Conditions& conditions, std::int64_t first,
                        std::int64_t last) {
  Statement& row = reader.Prepared("SELECT count(*) FROM transmissions AS t WHERE " + conditions.text +
                                   " AND t.id BETWEEN ? AND ?");
  const int next = Bind(row, conditions);
  row.bind(next, first);
  row.bind(next + 1, last);
  row.executeStep();
  return row.getColumn(0).getInt64();
}

struct TableBounds {
  std::int64_t first_transmission = 0, last_transmission = -1;
  std::int64_t observation_span = 0;  ///< an upper limit of their number
};

TableBounds ReadBounds(ReaderConnection& reader) {
  Statement& row = reader.Prepared(
      "SELECT (SELECT min(id) FROM transmissions), (SELECT max(id) FROM transmissions), "
      "(SELECT max(id) FROM observations) - (SELECT min(id) FROM observations) + 1");
  row.executeStep();
  if (row.getColumn(0).isNull()) return {};
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

std::optional<std::int64_t> CountInChunks(ReaderConnection& reader, const Conditions& conditions,
                                          const TableBounds& bounds) {
  const auto deadline = std::chrono::steady_clock::now() + kCountLimit;
  std::int64_t total = 0;
  for (std::int64_t first = bounds.first_transmission; first <= bounds.last_transmission;
       first += kCountChunk) {
    total +=
        CountRange(reader, conditions, first, std::min(bounds.last_transmission, first + kCountChunk - 1));
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
  }
  return total;
}

std::int64_t CountHidden(ReaderConnection& reader, const PacketFilter& filter) {
  if (filter.hidden_origins.empty()) return 0;
  Statement& row = reader.Prepared(
      "SELECT count(*) FROM transmissions WHERE origin_key IN (SELECT value FROM json_each(?))");
  row.bind(1, JsonList(Numbers(filter.hidden_origins)));
  row.executeStep();
  return row.getColumn(0).getInt64();
}

/// The filter with the hidden keys as the database numbers them: the dictionary has whoever signed anything.
PacketFilter Resolved(ReaderConnection& reader, PacketFilter filter) {
  for (const PublicKey& key : filter.hidden_keys) {
    Statement& row = reader.Prepared("SELECT key FROM identity WHERE public_key = ?");
    row.bind(1, key.bytes().data(), static_cast<int>(key.bytes().size()));
    if (row.executeStep()) filter.hidden_origins.push_back(IdentityKey{row.getColumn(0).getInt64()});
  }
  return filter;
}

std::optional<std::int64_t> CountAll(ReaderConnection& reader, const PacketFilter& filter,
                                     const PacketWindow& window) {
  if (window.transmissions && filter.PassesAll())
    return std::max<std::int64_t>(*window.transmissions - CountHidden(reader, filter), 0);
  const TableBounds bounds = ReadBounds(reader);
  const bool asks_observations = filter.observers || filter.route;
  Conditions conditions = ConditionsOf(filter, ObservationSearch::kByTransmission);
  if (conditions.has_index)
    return CountRange(reader, conditions, bounds.first_transmission, bounds.last_transmission);
  if (asks_observations && bounds.observation_span <= kMaxScannedObservations) {
    conditions = ConditionsOf(filter, ObservationSearch::kAll);
    return CountRange(reader, conditions, bounds.first_transmission, bounds.last_transmission);
  }
  return CountInChunks(reader, conditions, bounds);
}

std::optional<StoredTransmission> LoadOne(ReaderConnection& reader, const std::string& condition,
                                          const Value& value) {
  std::vector<StoredTransmission> found;
  {
    Statement& row = reader.Prepared(std::string("SELECT ") + kTransmissionColumns +
                                     " FROM transmissions AS t WHERE " + condition);
    Conditions only;
    only.values.push_back(value);
    Bind(row, only);
    if (!row.executeStep()) return std::nullopt;
    found.push_back(ReadTransmission(row));
  }
  AttachObservations(reader, found, std::nullopt, true);
  return std::move(found.front());
}

}  // namespace

bool IsScan(const PacketFilter& filter, const PacketWindow& window) {
  if (filter.hash || filter.origins) return false;
  return !filter.PassesAll() || window.order == PacketOrder::kLatestFirst || window.offset > kLongOffset;
}

PacketPage LoadPacketPage(ReaderPool& readers, const PacketFilter& asked, const PacketWindow& window) {
  return readers.Read([&](ReaderConnection& reader) {
    const PacketFilter filter = Resolved(reader, asked);
    PacketPage page;
    page.packets = ReadPage(reader, ConditionsOf(filter, ObservationSearch::kByTransmission), window);
    AttachObservations(reader, page.packets, filter.route, window.with_observations);
    if (window.with_total) page.total = CountAll(reader, filter, window);
    return page;
  });
}

std::optional<StoredTransmission> LoadPacket(ReaderPool& readers, const ContentHash& hash) {
  return readers.Read([&](ReaderConnection& reader) {
    const ByteView bytes = hash.bytes();
    return LoadOne(reader, "t.content_hash = ?", Bytes(bytes.begin(), bytes.end()));
  });
}

std::optional<StoredTransmission> LoadPacket(ReaderPool& readers, std::int64_t id) {
  return readers.Read([&](ReaderConnection& reader) {
    auto found = LoadOne(reader, "t.id = ?", id);
    if (found) return found;
    return LoadOne(reader, "t.id = (SELECT transmission_id FROM observations WHERE id = ?)", id);
  });
}

std::vector<StoredReception> LoadReceptions(ReaderConnection& reader, std::int64_t after, std::size_t limit,
                                            std::int64_t& last) {
  Statement& senders = reader.Prepared(
      std::string("SELECT ") + kTransmissionColumns +
      ", i.public_key FROM transmissions AS t LEFT JOIN identity AS i ON i.key = t.origin_key WHERE t.id IN "
      "(SELECT transmission_id FROM (SELECT transmission_id FROM observations WHERE id > ? ORDER BY id LIMIT "
      "?))");
  senders.bind(1, after);
  senders.bind(2, static_cast<std::int64_t>(limit));
  std::unordered_map<std::int64_t, StoredReception> by_id;
  while (senders.executeStep()) {
    StoredReception reception{ReadTransmission(senders),
                              PublicKey::FromBytes(BytesOf(senders.getColumn(10)))};
    by_id.emplace(reception.transmission.id, std::move(reception));
  }
  Statement& rows = reader.Prepared(
      "SELECT transmission_id, id, observer_key, received_after, route, path_len, path, transport_codes, "
      "flags, snr, "
      "rssi FROM observations WHERE id > ? ORDER BY id LIMIT ?");
  rows.bind(1, after);
  rows.bind(2, static_cast<std::int64_t>(limit));
  std::vector<StoredReception> receptions;
  while (rows.executeStep()) {
    last = rows.getColumn(1).getInt64();
    const auto found = by_id.find(rows.getColumn(0).getInt64());
    if (found == by_id.end()) continue;
    auto observation = ReadObservation(rows, found->second.transmission.base_time);
    if (!observation) continue;
    receptions.push_back(found->second);
    receptions.back().transmission.display = std::move(*observation);
  }
  return receptions;
}

Packet FrameOf(const StoredTransmission& transmission, const StoredObservation& observation) {
  Packet packet;
  packet.route = observation.route;
  packet.payload_type = transmission.payload_type;
  packet.transport_codes = observation.transport_codes;
  packet.path_length = observation.path_length;
  packet.path = observation.path;
  packet.payload = transmission.payload;
  return packet;
}

}  // namespace heliograph::server
