#include "server/state/row_reader.h"

#include <algorithm>
#include <string>

#include "common/capability.h"
#include "common/switch_readiness_json.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using Column = SQLite::Column;

constexpr const char* kIdentities = "SELECT key, public_key FROM identity WHERE key > ? ORDER BY key";

// The tables have the same columns; the placeholder is the name of one.
constexpr const char* kNodeColumns =
    "node_key, public_key, name, role, lat, lon, first_seen, last_seen, advert_count, battery_mv, "
    "temperature_c, "
    "foreign_advert, default_scope, revision";
constexpr const char* kRemovedNodes = "SELECT node_key, revision FROM removed_nodes WHERE revision > ?";

constexpr const char* kObservers =
    "SELECT observer_key, id, name, iata, first_seen, last_seen, last_packet_at, last_status_at, online, "
    "packet_count, "
    "model, firmware, client_version, radio, battery_mv, uptime_secs, noise_floor, inactive, can_relay, "
    "clock_skew_seconds, clock_skew_count_24h, clock_last_naive_at, revision "
    "FROM observers WHERE revision > ? ORDER BY revision";

constexpr const char* kCapabilities =
    "SELECT node_key, status, evidence, max_hash_size, adopted, likely_legacy, probability "
    "FROM node_capability WHERE branch_id = 1 AND to_seq IS NULL";
constexpr const char* kCapabilityOfNode =
    "SELECT node_key, status, evidence, max_hash_size, adopted, likely_legacy, probability "
    "FROM node_capability WHERE branch_id = 1 AND to_seq IS NULL AND node_key = ?";
constexpr const char* kCounters =
    "SELECT node_key, advert_proofs, relay_proofs, path_hints, last_proof_at FROM capability_counters";

constexpr const char* kNewestReceipt =
    "SELECT t.base_time + o.received_after FROM observations AS o JOIN transmissions AS t ON t.id = "
    "o.transmission_id "
    "WHERE o.id = (SELECT max(id) FROM observations)";

IdentityKey Key(const Column& column) {
  return IdentityKey{column.getInt64()};
}

std::optional<NodeView> NodeOf(SQLite::Statement& row, bool active) {
  const auto public_key = PublicKey::FromHex(row.getColumn(1).getString());
  if (!public_key) return std::nullopt;
  NodeView node;
  node.key = Key(row.getColumn(0));
  node.public_key = *public_key;
  node.name = TextOf(row.getColumn(2));
  node.role = row.getColumn(3).getString();
  node.lat = RealOf(row.getColumn(4));
  node.lon = RealOf(row.getColumn(5));
  node.first_seen = TimeOf(row.getColumn(6));
  node.last_seen = TimeOf(row.getColumn(7));
  node.advert_count = row.getColumn(8).getInt64();
  node.battery_mv = NumberOf(row.getColumn(9));
  node.temperature_c = RealOf(row.getColumn(10));
  node.foreign = row.getColumn(11).getInt() != 0;
  node.default_scope = TextOf(row.getColumn(12));
  node.active = active;
  return node;
}

void AppendNodes(ReaderConnection& connection, const std::string& table, bool active, std::int64_t after,
                 std::vector<NodeChange>& changes) {
  SQLite::Statement& row =
      connection.Prepared("SELECT " + std::string(kNodeColumns) + " FROM " + table + " WHERE revision > ?");
  row.bind(1, after);
  while (row.executeStep()) {
    auto node = NodeOf(row, active);
    if (!node) continue;
    changes.push_back({row.getColumn(13).getInt64(), node->key, std::move(node)});
  }
}

ObserverView ObserverOf(SQLite::Statement& row) {
  ObserverView observer;
  observer.key = Key(row.getColumn(0));
  observer.id = row.getColumn(1).getString();
  observer.name = TextOf(row.getColumn(2));
  observer.iata = row.getColumn(3).getString();
  observer.first_seen = TimeOf(row.getColumn(4));
  observer.last_seen = TimeOf(row.getColumn(5));
  observer.last_packet_at = OptionalTimeOf(row.getColumn(6));
  observer.last_status_at = OptionalTimeOf(row.getColumn(7));
  observer.online = FlagOf(row.getColumn(8));
  observer.packet_count = row.getColumn(9).getInt64();
  observer.model = TextOf(row.getColumn(10));
  observer.firmware = TextOf(row.getColumn(11));
  observer.client_version = TextOf(row.getColumn(12));
  observer.radio = TextOf(row.getColumn(13));
  observer.battery_mv = NumberOf(row.getColumn(14));
  observer.uptime_secs = NumberOf(row.getColumn(15));
  observer.noise_floor = RealOf(row.getColumn(16));
  observer.inactive = row.getColumn(17).getInt() != 0;
  observer.can_relay = FlagOf(row.getColumn(18));
  observer.clock_skew_seconds = NumberOf(row.getColumn(19));
  observer.clock_skew_count_24h = row.getColumn(20).getInt64();
  observer.clock_last_naive_at = OptionalTimeOf(row.getColumn(21));
  return observer;
}

NodeCapability CapabilityOf(SQLite::Statement& row) {
  NodeCapability capability;
  capability.status = static_cast<CapabilityStatus>(row.getColumn(1).getInt());
  if (!row.getColumn(2).isNull()) capability.evidence = ParseCapabilityEvidence(row.getColumn(2).getString());
  if (!row.getColumn(3).isNull())
    capability.max_hash_size = static_cast<std::uint8_t>(row.getColumn(3).getInt());
  capability.adopted = row.getColumn(4).getInt() != 0;
  capability.likely_legacy = row.getColumn(5).getInt() != 0;
  if (!row.getColumn(6).isNull()) capability.probability = row.getColumn(6).getInt() / 100.0;
  return capability;
}

std::int64_t ReadNumber(ReaderConnection& connection, const char* sql) {
  SQLite::Statement& row = connection.Prepared(sql);
  return row.executeStep() ? row.getColumn(0).getInt64() : 0;
}

}  // namespace

std::vector<std::pair<IdentityKey, PublicKey>> ReadIdentities(ReaderConnection& connection,
                                                              std::int64_t after) {
  std::vector<std::pair<IdentityKey, PublicKey>> identities;
  SQLite::Statement& row = connection.Prepared(kIdentities);
  row.bind(1, after);
  while (row.executeStep()) {
    const Column blob = row.getColumn(1);
    const ByteView bytes(static_cast<const std::uint8_t*>(blob.getBlob()),
                         static_cast<std::size_t>(blob.getBytes()));
    if (const auto key = PublicKey::FromBytes(bytes)) identities.emplace_back(Key(row.getColumn(0)), *key);
  }
  return identities;
}

std::vector<NodeChange> ReadNodeChanges(ReaderConnection& connection, std::int64_t after) {
  std::vector<NodeChange> changes;
  SQLite::Statement& removed = connection.Prepared(kRemovedNodes);
  removed.bind(1, after);
  while (removed.executeStep()) {
    changes.push_back({removed.getColumn(1).getInt64(), Key(removed.getColumn(0)), std::nullopt});
  }
  AppendNodes(connection, "inactive_nodes", false, after, changes);
  AppendNodes(connection, "nodes", true, after, changes);
  // Stable: of one revision a row outlives a removal, and the active table goes before the other.
  std::stable_sort(changes.begin(), changes.end(),
                   [](const NodeChange& a, const NodeChange& b) { return a.revision < b.revision; });
  return changes;
}

std::vector<std::pair<std::int64_t, ObserverView>> ReadObserverChanges(ReaderConnection& connection,
                                                                       std::int64_t after) {
  std::vector<std::pair<std::int64_t, ObserverView>> observers;
  SQLite::Statement& row = connection.Prepared(kObservers);
  row.bind(1, after);
  while (row.executeStep()) observers.emplace_back(row.getColumn(22).getInt64(), ObserverOf(row));
  return observers;
}

std::int64_t ReadHead(ReaderConnection& connection) {
  return ReadNumber(connection, "SELECT head_seq FROM branch WHERE branch_id = 1");
}

namespace {

/// The rows of a query for region and figures.
SwitchReadiness ReadScopes(SQLite::Statement& row) {
  SwitchReadiness readiness;
  while (row.executeStep()) {
    auto scope = DecodeReadinessFigures(row.getColumn(1).getString());
    if (!scope) continue;
    scope->region = row.getColumn(0).getString();
    readiness.scopes.push_back(std::move(*scope));
  }
  return readiness;
}

}  // namespace

SwitchReadiness ReadReadiness(ReaderConnection& connection) {
  return ReadScopes(
      connection.Prepared("SELECT region, figures FROM switch_readiness "
                          "WHERE branch_id = 1 AND to_seq IS NULL AND figures IS NOT NULL ORDER BY region"));
}

SwitchReadiness ReadReadinessAt(ReaderConnection& connection, std::int64_t seq, std::int64_t branch,
                                std::int64_t base) {
  SQLite::Statement& row = connection.Prepared(
      "SELECT region, figures FROM switch_readiness WHERE branch_id = ?2 AND from_seq <= ?1 "
      "AND (to_seq IS NULL OR to_seq > ?1) AND figures IS NOT NULL UNION ALL "
      "SELECT m.region, m.figures FROM switch_readiness AS m WHERE ?3 > 0 AND m.branch_id = 1 AND m.from_seq "
      "<= ?3 "
      "AND (m.to_seq IS NULL OR m.to_seq > ?3) AND m.figures IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
      "switch_readiness AS o WHERE o.branch_id = ?2 AND o.region = m.region AND o.from_seq <= ?1) ORDER BY "
      "1");
  row.bind(1, seq);
  row.bind(2, branch);
  row.bind(3, base > 0 ? std::min(seq, base) : 0);
  return ReadScopes(row);
}

std::vector<CapabilityChange> ReadCapabilities(ReaderConnection& connection) {
  std::vector<CapabilityChange> capabilities;
  SQLite::Statement& row = connection.Prepared(kCapabilities);
  while (row.executeStep()) capabilities.emplace_back(Key(row.getColumn(0)), CapabilityOf(row));
  return capabilities;
}

std::vector<CapabilityChange> ReadCapabilityChanges(ReaderConnection& connection, std::int64_t after) {
  std::vector<CapabilityChange> changes;
  SQLite::Statement& touched = connection.Prepared(kCapabilityTouchedSince);
  touched.bind(1, after);
  SQLite::Statement& present = connection.Prepared(kCapabilityOfNode);
  while (touched.executeStep()) {
    const IdentityKey key = Key(touched.getColumn(0));
    present.reset();
    present.bind(1, static_cast<std::int64_t>(key));
    std::optional<NodeCapability> capability;
    if (present.executeStep()) capability = CapabilityOf(present);
    changes.emplace_back(key, std::move(capability));
  }
  return changes;
}

std::vector<std::pair<IdentityKey, NodeCapability>> ReadCapabilityCounters(ReaderConnection& connection) {
  std::vector<std::pair<IdentityKey, NodeCapability>> counters;
  SQLite::Statement& row = connection.Prepared(kCounters);
  while (row.executeStep()) {
    NodeCapability counted;
    counted.advert_proofs = static_cast<std::uint64_t>(row.getColumn(1).getInt64());
    counted.relay_proofs = static_cast<std::uint64_t>(row.getColumn(2).getInt64());
    counted.path_hints = static_cast<std::uint64_t>(row.getColumn(3).getInt64());
    counted.last_proof_at = OptionalTimeOf(row.getColumn(4));
    counters.emplace_back(Key(row.getColumn(0)), counted);
  }
  return counters;
}

std::int64_t ReadLedgerMark(ReaderConnection& connection) {
  return ReadNumber(connection, "SELECT coalesce(max(applied_at), 0) FROM ledger");
}

PacketBounds ReadPacketBounds(ReaderConnection& connection) {
  PacketBounds bounds;
  bounds.first_transmission = ReadNumber(connection, "SELECT coalesce(min(id), 0) FROM transmissions");
  bounds.last_transmission = ReadNumber(connection, "SELECT coalesce(max(id), 0) FROM transmissions");
  bounds.first_observation = ReadNumber(connection, "SELECT coalesce(min(id), 0) FROM observations");
  bounds.last_observation = ReadNumber(connection, "SELECT coalesce(max(id), 0) FROM observations");
  bounds.retention_end = ReadNumber(
      connection, "SELECT coalesce(max(last_end), 0) FROM maintenance_task WHERE name = 'packets'");
  return bounds;
}

std::optional<UtcMillis> ReadNewestReceipt(ReaderConnection& connection) {
  SQLite::Statement& row = connection.Prepared(kNewestReceipt);
  if (!row.executeStep()) return std::nullopt;
  return TimeOf(row.getColumn(0));
}

std::pair<std::int64_t, std::int64_t> CountPackets(ReaderConnection& connection,
                                                   std::int64_t last_transmission,
                                                   std::int64_t last_observation) {
  // All less the few above is counted on the smallest index; a condition on the id would read the whole
  // table.
  const auto up_to = [&](const std::string& table, std::int64_t last) {
    SQLite::Statement& above = connection.Prepared("SELECT count(*) FROM " + table + " WHERE id > ?");
    above.bind(1, last);
    above.executeStep();
    const std::int64_t not_counted = above.getColumn(0).getInt64();
    return ReadNumber(connection, ("SELECT count(*) FROM " + table).c_str()) - not_counted;
  };
  const std::int64_t transmissions = up_to("transmissions", last_transmission);
  return {transmissions, up_to("observations", last_observation)};
}

}  // namespace heliograph::server
