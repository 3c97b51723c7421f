#pragma once

#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_override.h"
#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"

namespace heliograph::ingestor {

/// A correction as it is recorded.
struct StoredOverride {
  std::string id;
  CommitSeq commit{};  ///< that brought it
  bool in_force = true;
  ClusterCollection collection{};
  OverrideAction action{};
  TrackKey track{};
  std::optional<TrackKey> other;  ///< merged away, or split off
  std::optional<std::string> title;
  std::optional<std::string> undoes;
  std::string actor;
  std::string reason;
  UtcMillis created_at{};
};

/// The corrections of people: always made on main, and seen from a branch as they were at its base. Used by
/// the writer's thread, inside its transaction.
class OverrideStore {
 public:
  explicit OverrideStore(SQLite::Database& database) : database_(database) {}

  void Add(const StoredOverride& added, const std::vector<MemberKey>& members);
  std::optional<StoredOverride> Find(const std::string& id);
  std::vector<MemberKey> Members(const std::string& id);
  /// Closes its interval: it binds no later run.
  void End(const std::string& id, CommitSeq commit);

  /// The newest commit that made or ended a correction of this track.
  std::optional<CommitSeq> TouchedAt(TrackKey track);

  /// What the corrections in force come to; of two about the same member, the later one counts.
  TrackConstraints Constraints(const BranchView& view, ClusterCollection collection);

  /// Notes that a run proposed what an exclusion keeps out.
  void CountBlocked(const BranchView& view, RunKey run,
                    const std::vector<std::pair<TrackKey, MemberKey>>& blocked);

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
