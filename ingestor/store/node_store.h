#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/capability.h"
#include "common/identity_key.h"
#include "common/time.h"
#include "ingestor/prepared.h"
#include "ingestor/store/recent_map.h"
#include "ingestor/store/revision.h"

namespace heliograph::ingestor {

/// Nodes and inactive nodes. A node comes into being by its own advert alone; one that was inactive and
/// adverts again returns with all that was known of it. Used by the writer's thread, inside its transaction.
class NodeStore {
 public:
  NodeStore(SQLite::Database& database, Revision& revision);

  /// Takes over what the advert in `packet` says. An advert that is older than the newest one known, by the
  /// node's own clock, does not change name, role or position (the firmware ignores such adverts as replays),
  /// and an advert without a name never erases one. REQUIRED: packet.advert.
  void Take(const PreparedPacket& packet, IdentityKey node, bool new_transmission);

  /// Makes the node again from `adverts`, all of its own, in the order of their storing; the first reception
  /// of each transmission is `first`. Capability, and the table that it is in, stay; so do an earlier first
  /// sight and a higher count, for packets may have been deleted since. REQUIRED: `adverts` is not empty.
  struct HeardAdvert {
    PreparedPacket packet;
    bool first = false;
  };
  void Rebuild(IdentityKey node, const std::vector<HeardAdvert>& adverts);

  /// Writes the rows that Take has touched. REQUIRED before the transaction commits.
  void Flush();
  /// Forgets everything in memory. REQUIRED after a rollback, and after another statement changed the tables.
  void Forget() noexcept;

  /// Moves nodes that were last seen before `cutoff` to inactive_nodes, at most `limit` of them. Returns how
  /// many.
  std::size_t Retire(UtcMillis cutoff, std::size_t limit);

  /// Deletes the node from both tables and leaves a row in removed_nodes. False when it is in neither.
  bool Remove(IdentityKey node, const std::string& reason, UtcMillis at,
              std::optional<std::int64_t> commit_seq);

  /// Sets the two columns of the node's row, in whichever table it is.
  void SetCapability(IdentityKey node, CapabilityStatus status, std::optional<CapabilityEvidence> evidence);

 private:
  struct Node {
    IdentityKey key{};
    std::string public_key;
    std::optional<std::string> name;
    std::string role;
    std::optional<double> lat, lon;
    std::int64_t first_ms = 0, last_ms = 0;
    std::int64_t advert_count = 0;
    std::optional<std::int64_t> advert_time, battery_mv;
    std::optional<double> temperature_c;
    bool foreign = false;
    std::optional<std::string> default_scope;
    std::int64_t multibyte_sup = 0;
    std::optional<std::string> multibyte_evidence;
    bool dirty = false;
  };

  std::shared_ptr<Node> FindOrCreate(const PreparedPacket& packet, IdentityKey key);
  std::shared_ptr<Node> Read(SQLite::Statement& select, IdentityKey key);
  static std::shared_ptr<Node> Fresh(const PreparedPacket& packet, IdentityKey key);
  static void Hear(Node& node, const PreparedPacket& packet, bool new_transmission);
  void Write(SQLite::Statement& upsert, const Node& node);
  static void Describe(Node& node, const Advert& advert, bool outside_geo_filter);

  SQLite::Database& database_;
  Revision& revision_;
  SQLite::Statement select_active_, select_inactive_, delete_active_, delete_inactive_, delete_removed_,
      upsert_, upsert_inactive_;
  RecentMap<std::int64_t, std::shared_ptr<Node>> recent_;
  std::vector<std::shared_ptr<Node>> touched_;
};

}  // namespace heliograph::ingestor
