#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"

namespace heliograph::ingestor {

/// The run that a branch and collection stand at.
struct ClusterPointer {
  RunKey active{};
  Sha256Digest content{};  ///< of the active run
  CommitSeq commit{};      ///< that brought it
  bool is_whole = true;    ///< its clusters and members were not thinned out
};

/// Where a run comes from.
struct RunOrigin {
  BranchId branch{};
  std::string file;  ///< id of the queue file that asked for it
  UtcMillis computed_at{};
  Sha256Digest content{};
  std::optional<RunKey> copy_of;  ///< the applied run whose members it has
};

/// An applied run as it can be brought once more.
struct StoredRun {
  ClusterSnapshot snapshot;  ///< without keys: its clusters have no members, and nobody is unclustered
  Sha256Digest content{};
  UtcMillis computed_at{};
  BranchId branch{};
  std::vector<MemberKey> representatives;  ///< by cluster
  /// By cluster: its track, when that began on the run's branch and main has not seen it.
  std::vector<std::optional<TrackKey>> new_to_main;
};

/// A member of a run by its place; without an ordinal it is in no cluster. `strength` in thousandths.
struct PlacedMember {
  MemberKey member{};
  std::optional<std::size_t> ordinal;
  int strength = 0;
};

/// The tables of runs: their members, their clusters, and the pointer to the active one. Used by the writer's
/// thread, inside its transaction.
class ClusterRunStore {
 public:
  explicit ClusterRunStore(SQLite::Database& database);

  /// The run that the branch sees as the active one, or nothing.
  std::optional<ClusterPointer> Active(const BranchView& view, ClusterCollection collection);
  /// The same as it was when `last` was the newest commit, of the branch's own runs alone.
  std::optional<ClusterPointer> OwnActiveAt(BranchId branch, ClusterCollection collection, CommitSeq last);

  /// Nothing when there is no applied run of that number, or its members were thinned out.
  std::optional<StoredRun> Load(RunKey run);
  /// At most `limit` members of an applied run with greater keys than `last`, in their order.
  std::vector<PlacedMember> MembersAfter(RunKey run, MemberKey last, std::size_t limit);

  /// A row for the run, which nothing names until Flip. Returns its number.
  RunKey Stage(const RunOrigin& origin, const ClusterSnapshot& snapshot);
  void StageMember(RunKey run, const PlacedMember& placed);
  /// The strength that the member had in an applied run; 0 when it was not in it.
  int StrengthIn(RunKey run, MemberKey member);
  void AddCluster(RunKey run, std::size_t ordinal, const SnapshotCluster& cluster, std::size_t size,
                  MemberKey representative, std::optional<TrackKey> track);
  /// A cluster that a partial run did not look at, as it was in the run before.
  void CarryCluster(RunKey run, std::size_t ordinal, RunKey before, TrackKey track, std::size_t size);

  struct Counts {
    std::size_t clusters = 0, members = 0, unclustered = 0;
  };
  /// Makes the staged run the active one of its branch and collection, and frozen. REQUIRED: all its rows are
  /// there.
  void Flip(RunKey run, const BranchView& view, ClusterCollection collection, std::optional<RunKey> previous,
            const Counts& counts, CommitSeq commit);

  /// Deletes at most `rows` rows of staged runs. Returns false when there was nothing to delete.
  bool SweepStaged(std::size_t rows);

 private:
  SQLite::Database& database_;
  SQLite::Statement stage_member_, strength_, add_cluster_, members_after_;
};

}  // namespace heliograph::ingestor
