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
  /// Closes its interval: it binds no later run.
  void End(const std::string& id, CommitSeq commit);

  /// The newest commit that made or ended a correction of this track.
  std::optional<CommitSeq> TouchedAt(TrackKey track);

  /// What the corrections in force come to; `apart` as TrackStore::Resolve takes it.
  TrackConstraints Constraints(const BranchView& view, ClusterCollection collection,
                               std::optional<TrackKey> apart = std::nullopt);

  // What the corrections of one track that are in force come to.
  /// Whether a person closed it last, and did not open it again.
  bool IsClosed(TrackKey track);
  /// The title that a person gave to it last.
  std::optional<std::string> TitleOf(TrackKey track);
  /// Where a person merged it into; where a split that was taken back came from, if one made it.
  std::optional<TrackKey> GoneInto(TrackKey track);

  struct UndoneMerge {
    TrackKey track{}, other{};
    CommitSeq from{}, to{};  ///< it was in force from the one until before the other
  };
  /// The merges that were taken back, oldest first.
  std::vector<UndoneMerge> UndoneMerges(const BranchView& view, ClusterCollection collection);

  /// Notes that a run proposed what an exclusion, or a split, keeps out. `blocked` names tracks by their
  /// roots.
  void CountBlocked(const BranchView& view, RunKey run,
                    const std::vector<std::pair<TrackKey, MemberKey>>& blocked,
                    const TrackConstraints& constraints);

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
