#include "ingestor/store/node_removal.h"

#include <utility>
#include <vector>

#include "ingestor/store/capability_store.h"

namespace heliograph::ingestor {

NodeRemoval RemoveNodes(MeshStore& store, std::span<const IdentityKey> nodes, const std::string& reason,
                        CommitFacts author, UtcMillis now) {
  CapabilityStore capabilities(store.database());
  std::vector<IdentityKey> versioned;
  for (const IdentityKey node : nodes)
    if (capabilities.Now(kMainBranch, node)) versioned.push_back(node);
  NodeRemoval removal;
  std::optional<std::int64_t> commit_seq;
  if (!versioned.empty()) {
    author.kind = "maintenance";
    author.removed = static_cast<std::int64_t>(versioned.size());
    removal.commit = store.commits().Begin(author, now);
    commit_seq = static_cast<std::int64_t>(*removal.commit);
    for (const IdentityKey node : versioned) capabilities.End(kMainBranch, node, *removal.commit);
  }
  for (const IdentityKey node : nodes)
    if (store.nodes().Remove(node, reason, now, commit_seq)) ++removal.deleted;
  if (removal.commit) store.commits().MoveHead(kMainBranch, *removal.commit);
  return removal;
}

}  // namespace heliograph::ingestor
