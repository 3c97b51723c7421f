#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"
#include "queue/envelope.h"

namespace heliograph::ingestor {

/// The runs that a branch and collection stand at.
struct ClusterPointer {
  RunKey active{};
  Sha256Digest content{};  ///< of the active run
};

/// The tables of runs: their members, their clusters, and the pointer to the active one. Used by the writer's
/// thread, inside its transaction.
class ClusterRunStore {
 public:
  explicit ClusterRunStore(SQLite::Database& database);

  /// The run that the branch sees as the active one, or nothing.
  std::optional<ClusterPointer> Active(const BranchView& view, ClusterCollection collection);

  /// A row for the run, which nothing names until Flip. Returns its number.
  RunKey Stage(const queue::Envelope& envelope, const ClusterSnapshot& snapshot);
  /// `ordinal`: of its cluster; nothing: it is in none. `strength` in thousandths.
  void StageMember(RunKey run, MemberKey member, std::optional<std::size_t> ordinal, int strength);
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

  /// What the match of the next run depends on.
  TrackBook LoadBook(const BranchView& view, ClusterCollection collection);

 private:
  struct Lineage;
  Lineage LineageOf(const BranchView& view, ClusterCollection collection);
  void RestoreMembers(RunKey run, std::size_t age,
                      const std::vector<std::pair<std::size_t, TrackKey>>& wanted, TrackBook& book);
  /// Lets merges that people took back no longer tell in the book.
  void TakeApart(const BranchView& view, ClusterCollection collection, const Lineage& lineage,
                 TrackBook& book);

  SQLite::Database& database_;
  SQLite::Statement stage_member_, strength_, add_cluster_;
};

}  // namespace heliograph::ingestor
