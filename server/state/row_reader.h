#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/public_key.h"
#include "common/time.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Reads what changed in the small tables. Every function runs in the caller's read transaction, returns what
/// lies behind a cursor, and throws SQLite::Exception. A row whose key does not spell a public key is left
/// out.

/// `identity` rows with a key above `after`, ascending.
std::vector<std::pair<IdentityKey, PublicKey>> ReadIdentities(ReaderConnection& connection,
                                                              std::int64_t after);

/// A change of one node: its row as it is now, or nothing when it is in neither table.
struct NodeChange {
  std::int64_t revision = 0;
  IdentityKey key{};
  std::optional<NodeView> row;  ///< without the derived parts
};
/// Changes with a revision above `after` of nodes, inactive_nodes and removed_nodes, in the order of their
/// revisions.
std::vector<NodeChange> ReadNodeChanges(ReaderConnection& connection, std::int64_t after);

/// Observers with a revision above `after`, ascending, each with its revision.
std::vector<std::pair<std::int64_t, ObserverView>> ReadObserverChanges(ReaderConnection& connection,
                                                                       std::int64_t after);

/// The commit that main stands at.
std::int64_t ReadHead(ReaderConnection& connection);

/// A node's present interval on main; nothing when it has none any more.
using CapabilityChange = std::pair<IdentityKey, std::optional<NodeCapability>>;
/// All present intervals of main, without counters.
std::vector<CapabilityChange> ReadCapabilities(ReaderConnection& connection);
/// Nodes whose intervals on main began or ended above a commit. The plus keeps SQLite from the primary key,
/// whose first column is the same in nearly all of the history: the ends have indexes of their own.
inline constexpr const char* kCapabilityTouchedSince =
    "SELECT node_key FROM node_capability WHERE from_seq > ?1 AND +branch_id = 1 "
    "UNION SELECT node_key FROM node_capability WHERE to_seq > ?1 AND +branch_id = 1";
/// Those that commits above `after` changed.
std::vector<CapabilityChange> ReadCapabilityChanges(ReaderConnection& connection, std::int64_t after);

/// The present readiness of main: of the whole mesh and of each region; without scopes when there is none.
/// One whose figures cannot be read is left out.
SwitchReadiness ReadReadiness(ReaderConnection& connection);
/// The same as it was at a commit, of main or of a branch: that sees of a region that it has not written
/// itself what main had at the branch's `base`.
SwitchReadiness ReadReadinessAt(ReaderConnection& connection, std::int64_t seq, std::int64_t branch = 1,
                                std::int64_t base = 0);

/// capability_counters: only the counters and the time of the last proof are filled.
std::vector<std::pair<IdentityKey, NodeCapability>> ReadCapabilityCounters(ReaderConnection& connection);

/// A figure that differs when a queue file was applied since; 0 before the first.
std::int64_t ReadLedgerMark(ReaderConnection& connection);

/// What can be told about packets without reading them: constant time.
struct PacketBounds {
  std::int64_t first_transmission = 0, last_transmission = 0;  ///< 0 when there are none
  std::int64_t first_observation = 0, last_observation = 0;
  std::int64_t retention_end = 0;  ///< when retention last went through the packets; 0: never
};
PacketBounds ReadPacketBounds(ReaderConnection& connection);

/// Receipt of the observation with the highest id; nothing when there is none.
std::optional<UtcMillis> ReadNewestReceipt(ReaderConnection& connection);

/// Rows of both packet tables up to these ids, counted: tens of milliseconds for a million.
std::pair<std::int64_t, std::int64_t> CountPackets(ReaderConnection& connection,
                                                   std::int64_t last_transmission,
                                                   std::int64_t last_observation);

}  // namespace heliograph::server
