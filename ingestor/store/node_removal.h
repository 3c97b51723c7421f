#pragma once

#include <optional>
#include <span>
#include <string>

#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

struct NodeRemoval {
  std::int64_t deleted = 0;         ///< nodes, active or inactive, that were there
  std::optional<CommitSeq> commit;  ///< nothing when none of them had a status, which alone is versioned
};

/// Deletes `nodes`, each for `reason`, and ends what is known of their capability with a maintenance commit
/// that `author` signs: actor, stream, ledger_id and authored_at are taken from it. REQUIRED: a transaction
/// is open, and `now` is the present time.
NodeRemoval RemoveNodes(MeshStore& store, std::span<const IdentityKey> nodes, const std::string& reason,
                        CommitFacts author, UtcMillis now);

}  // namespace heliograph::ingestor
