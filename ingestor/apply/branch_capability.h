#pragma once

#include <optional>
#include <vector>

#include "common/multibyte_snapshot.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/merge_side.h"
#include "ingestor/store/branch_store.h"
#include "ingestor/store/capability_history.h"

namespace heliograph::ingestor {

/// A multibyte snapshot of a what-if run: it is stored for its branch alone, and what main says of the nodes
/// stays. A merge takes the capability over. Readiness is compared and never merged: its figures are computed
/// from the traffic and from the capability of every node, so that those of the branch would not fit what
/// main holds after the merge; the next snapshot of main brings the ones that do.
Verdict ApplyBranchCapability(const ApplyContext& context, const queue::QueueFile& file,
                              const MultibyteSnapshot& snapshot);

/// What a merge of the branch's capability into main would do.
struct CapabilityMergePlan {
  struct Change {
    IdentityKey node;
    PastCapability before, after;  ///< on main
  };
  std::vector<Change> changes;
  std::vector<IdentityKey>
      conflicts;  ///< changed on both sides, differently; in `changes` when a side was chosen
};
CapabilityMergePlan PlanCapabilityMerge(SQLite::Database& database, const Branch& branch,
                                        const CommonAncestor& ancestor, CommitSeq main_head, MergeSide side);

/// Writes the changes on main under `commit`.
void MergeCapability(const ApplyContext& context, const CapabilityMergePlan& plan, CommitSeq commit);

}  // namespace heliograph::ingestor
