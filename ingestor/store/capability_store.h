#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/capability_merge.h"
#include "common/identity_key.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// The intervals of `node_capability` and the live counters beside them. Used by the writer's thread, inside
/// its transaction.
class CapabilityStore {
 public:
  explicit CapabilityStore(SQLite::Database& database);

  /// The open interval of the node, or nothing.
  std::optional<CapabilityState> Now(BranchId branch, IdentityKey node);

  /// Closes the open interval, if there is one, and opens the next.
  void Change(BranchId branch, IdentityKey node, const CapabilityState& state, CommitSeq commit);
  /// Closes the open interval; the node has no capability from then on.
  void End(BranchId branch, IdentityKey node, CommitSeq commit);

  /// Counters of the newest snapshot: written only when they differ.
  void SetCounters(IdentityKey node, const CapabilityEntry& entry, std::int64_t watermark);

  /// At most `limit` nodes of main whose status rests on proofs older than `cutoff`.
  std::vector<IdentityKey> ProvenBefore(UtcMillis cutoff, std::size_t limit);

 private:
  SQLite::Statement now_, close_, open_, counters_;
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
