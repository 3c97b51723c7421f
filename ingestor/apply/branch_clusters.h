#pragma once

#include <optional>
#include <vector>

#include "common/cluster_snapshot.h"
#include "ingestor/apply/merge_side.h"
#include "ingestor/store/branch_store.h"
#include "ingestor/store/cluster_run_store.h"

namespace heliograph::ingestor {

/// The active runs of one collection where a branch and main are to be made one.
struct ClusterMeeting {
  ClusterCollection collection{};
  std::optional<RunKey> base;  ///< main's at the common ancestor
  std::optional<RunKey> main;  ///< main's now
  RunKey branch{};             ///< the branch's
};

/// What a merge of the branch's clusters into main would do. Collections of which the branch has nothing new
/// are in none of the lists.
struct ClusterMergePlan {
  std::vector<ClusterMeeting> takes;      ///< the branch's run comes to main
  std::vector<ClusterMeeting> conflicts;  ///< main has moved on too; in `takes` when the branch's side counts
  std::optional<ClusterMeeting> pruned;   ///< the members of the branch's run are gone, so that nobody can
};

/// Looks at the pointers alone: runs are whole, so that a collection is the branch's or main's. A run of the
/// branch is new when it came after the common ancestor and says another thing than the branch said then,
/// than main said then, and than main says now.
ClusterMergePlan PlanClusterMerge(SQLite::Database& database, const Branch& branch,
                                  const CommonAncestor& ancestor, MergeSide side);

/// "clusters/mesh": what the commits of the collection's runs have for their stream.
std::string ClusterStream(ClusterCollection collection);

}  // namespace heliograph::ingestor
