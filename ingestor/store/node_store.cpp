#include "ingestor/store/node_store.h"

#include <algorithm>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kRecentNodes = 16'384;
constexpr std::int64_t kMillisPerSecond = 1000;
// A node whose clock once stood far in the future would otherwise never change again.
constexpr std::int64_t kBelievableLeadSeconds = 86'400;

// The order that both tables share, and that Read and Flush follow.
constexpr const char* kColumns =
    "node_key, public_key, name, role, lat, lon, first_seen, last_seen, advert_count, advert_time, "
    "battery_mv,"
    " temperature_c, foreign_advert, default_scope, multibyte_sup, multibyte_evidence";

std::string Select(const char* table) {
  return std::string("SELECT ") + kColumns + " FROM " + table + " WHERE node_key=?";
}

std::string Upsert(const char* table) {
  return std::string("INSERT OR REPLACE INTO ") + table + "(" + kColumns +
         ", revision) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
}

std::string MoveToInactive() {
  return std::string("INSERT OR REPLACE INTO inactive_nodes(") + kColumns + ", revision) SELECT " + kColumns +
         ", ? FROM nodes WHERE node_key=?";
}

bool IsReplay(std::optional<std::int64_t> newest, const PreparedPacket& packet) {
  if (!newest) return false;
  const std::int64_t received = packet.received_at.time_since_epoch().count() / kMillisPerSecond;
  if (*newest > received + kBelievableLeadSeconds) return false;
  return std::int64_t{packet.advert->timestamp} < *newest;
}

}  // namespace

NodeStore::NodeStore(SQLite::Database& database, Revision& revision)
    : database_(database),
      revision_(revision),
      select_active_(database, Select("nodes")),
      select_inactive_(database, Select("inactive_nodes")),
      delete_active_(database, "DELETE FROM nodes WHERE node_key=?"),
      delete_inactive_(database, "DELETE FROM inactive_nodes WHERE node_key=?"),
      delete_removed_(database, "DELETE FROM removed_nodes WHERE node_key=?"),
      upsert_(database, Upsert("nodes")),
      upsert_inactive_(database, Upsert("inactive_nodes")),
      recent_(kRecentNodes) {}

void NodeStore::Forget() noexcept {
  recent_.Clear();
  touched_.clear();
}

std::shared_ptr<NodeStore::Node> NodeStore::Read(SQLite::Statement& select, IdentityKey key) {
  RowBinder row(select);
  std::shared_ptr<Node> node;
  if (row.Key(key).Step()) {
    node = std::make_shared<Node>();
    node->key = key;
    node->public_key = select.getColumn(1).getString();
    node->name = OptionalText(select.getColumn(2));
    node->role = select.getColumn(3).getString();
    node->lat = OptionalReal(select.getColumn(4));
    node->lon = OptionalReal(select.getColumn(5));
    node->first_ms = select.getColumn(6).getInt64();
    node->last_ms = select.getColumn(7).getInt64();
    node->advert_count = select.getColumn(8).getInt64();
    node->advert_time = OptionalInteger(select.getColumn(9));
    node->battery_mv = OptionalInteger(select.getColumn(10));
    node->temperature_c = OptionalReal(select.getColumn(11));
    node->foreign = select.getColumn(12).getInt() != 0;
    node->default_scope = OptionalText(select.getColumn(13));
    node->multibyte_sup = select.getColumn(14).getInt64();
    node->multibyte_evidence = OptionalText(select.getColumn(15));
  }
  select.tryReset();
  return node;
}

std::shared_ptr<NodeStore::Node> NodeStore::FindOrCreate(const PreparedPacket& packet, IdentityKey key) {
  const auto raw_key = static_cast<std::int64_t>(key);
  if (auto* known = recent_.Find(raw_key)) return *known;
  auto node = Read(select_active_, key);
  if (!node && (node = Read(select_inactive_, key))) RowBinder(delete_inactive_).Key(key).Run();
  if (!node) {
    node = Fresh(packet, key);
    RowBinder(delete_removed_).Key(key).Run();
  }
  return recent_.Insert(raw_key, std::move(node));
}

void NodeStore::Describe(Node& node, const Advert& advert, bool outside_geo_filter) {
  node.role = RoleName(advert.type);
  if (advert.name) node.name = advert.name;
  if (advert.latitude && advert.longitude) {
    node.lat = advert.latitude;
    node.lon = advert.longitude;
    node.foreign = outside_geo_filter;
  }
  if (advert.battery_mv) node.battery_mv = advert.battery_mv;
  if (advert.temperature_c) node.temperature_c = advert.temperature_c;
  node.advert_time = advert.timestamp;
}

std::shared_ptr<NodeStore::Node> NodeStore::Fresh(const PreparedPacket& packet, IdentityKey key) {
  auto node = std::make_shared<Node>();
  node->key = key;
  node->public_key = packet.advert->public_key.ToHex();
  node->role = RoleName(packet.advert->type);
  node->first_ms = node->last_ms = packet.received_at.time_since_epoch().count();
  return node;
}

void NodeStore::Hear(Node& node, const PreparedPacket& packet, bool new_transmission) {
  const std::int64_t received_ms = packet.received_at.time_since_epoch().count();
  node.first_ms = std::min(node.first_ms, received_ms);
  node.last_ms = std::max(node.last_ms, received_ms);
  if (new_transmission) ++node.advert_count;
  if (packet.scope && !packet.scope->empty()) node.default_scope = packet.scope;
  if (!IsReplay(node.advert_time, packet)) Describe(node, *packet.advert, packet.outside_geo_filter);
}

void NodeStore::Take(const PreparedPacket& packet, IdentityKey key, bool new_transmission) {
  auto node = FindOrCreate(packet, key);
  Hear(*node, packet, new_transmission);
  if (!node->dirty) {
    node->dirty = true;
    touched_.push_back(node);
  }
  // A row that is not written yet must not be forgotten.
  if (touched_.size() >= kRecentNodes / 2) Flush();
}

void NodeStore::Rebuild(IdentityKey key, const std::vector<HeardAdvert>& adverts) {
  recent_.Erase(static_cast<std::int64_t>(key));
  const auto active = Read(select_active_, key);
  const auto inactive = active ? nullptr : Read(select_inactive_, key);
  auto node = Fresh(adverts.front().packet, key);
  for (const HeardAdvert& heard : adverts) Hear(*node, heard.packet, heard.first);
  if (const Node* before = active ? active.get() : inactive.get()) {
    node->first_ms = std::min(node->first_ms, before->first_ms);
    node->last_ms = std::max(node->last_ms, before->last_ms);
    node->advert_count = std::max(node->advert_count, before->advert_count);
    node->multibyte_sup = before->multibyte_sup;
    node->multibyte_evidence = before->multibyte_evidence;
  }
  Write(inactive ? upsert_inactive_ : upsert_, *node);
}

void NodeStore::Write(SQLite::Statement& upsert, const Node& node) {
  RowBinder(upsert)
      .Key(node.key)
      .Text(node.public_key)
      .Text(node.name)
      .Text(node.role)
      .Real(node.lat)
      .Real(node.lon)
      .Integer(node.first_ms)
      .Integer(node.last_ms)
      .Integer(node.advert_count)
      .Integer(node.advert_time)
      .Integer(node.battery_mv)
      .Real(node.temperature_c)
      .Integer(node.foreign ? 1 : 0)
      .Text(node.default_scope)
      .Integer(node.multibyte_sup)
      .Text(node.multibyte_evidence)
      .Integer(revision_.current())
      .Run();
}

void NodeStore::Flush() {
  for (const auto& node : touched_) {
    Write(upsert_, *node);
    node->dirty = false;
  }
  touched_.clear();
}

std::size_t NodeStore::Retire(UtcMillis cutoff, std::size_t limit) {
  SQLite::Statement stale(database_, "SELECT node_key FROM nodes WHERE last_seen < ? LIMIT ?");
  RowBinder row(stale);
  row.Time(cutoff).Integer(static_cast<std::int64_t>(limit));
  std::vector<std::int64_t> keys;
  while (row.Step()) keys.push_back(stale.getColumn(0).getInt64());
  SQLite::Statement move(database_, MoveToInactive());
  for (const std::int64_t key : keys) {
    RowBinder(move).Integer(revision_.current()).Integer(key).Run();
    RowBinder(delete_active_).Integer(key).Run();
    recent_.Erase(key);
  }
  return keys.size();
}

bool NodeStore::Remove(IdentityKey node, const std::string& reason, UtcMillis at,
                       std::optional<std::int64_t> commit_seq) {
  const int deleted = RowBinder(delete_active_).Key(node).Run() + RowBinder(delete_inactive_).Key(node).Run();
  recent_.Erase(static_cast<std::int64_t>(node));
  if (deleted == 0) return false;
  SQLite::Statement tombstone(
      database_,
      "INSERT OR REPLACE INTO removed_nodes(node_key, reason, removed_at, commit_seq, revision)"
      " VALUES (?,?,?,?,?)");
  RowBinder(tombstone).Key(node).Text(reason).Time(at).Integer(commit_seq).Integer(revision_.current()).Run();
  return true;
}

void NodeStore::SetCapability(IdentityKey node, CapabilityStatus status,
                              std::optional<CapabilityEvidence> evidence) {
  std::optional<std::string> name;
  if (evidence) name = std::string(Name(*evidence));
  for (const char* table : {"nodes", "inactive_nodes"}) {
    SQLite::Statement update(database_,
                             std::string("UPDATE ") + table +
                                 " SET multibyte_sup=?, multibyte_evidence=?, revision=? WHERE node_key=?");
    RowBinder(update)
        .Integer(static_cast<std::int64_t>(status))
        .Text(name)
        .Integer(revision_.current())
        .Key(node)
        .Run();
  }
  recent_.Erase(static_cast<std::int64_t>(node));
}

}  // namespace heliograph::ingestor
