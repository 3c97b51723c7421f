#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/failpoint.h"
#include "common/neighbor_snapshot.h"
#include "ingestor/apply/applier.h"
#include "ingestor/store/neighbor_store.h"

namespace heliograph::ingestor {
namespace {

struct Plan {
  std::vector<std::pair<NeighborStore::Ends, const NeighborEdge*>> puts;
  std::vector<NeighborStore::Ends> removals;
  std::int64_t added = 0, changed = 0, unknown = 0;
};

/// True when all but the keys of the nodes is equal.
bool SaysTheSame(NeighborEdge edge, const NeighborEdge& stored) {
  edge.a = stored.a;
  edge.b = stored.b;
  return edge == stored;
}

Plan Compare(const ApplyContext& context, NeighborStore& neighbors, const NeighborSnapshot& snapshot) {
  Plan plan;
  std::map<NeighborStore::Ends, NeighborEdge> stored = neighbors.All();
  for (const NeighborEdge& edge : snapshot.edges) {
    const auto a = context.store.identities().Find(edge.a), b = context.store.identities().Find(edge.b);
    if (!a || !b) {
      ++plan.unknown;
      continue;
    }
    const auto known = stored.extract({*a, *b});
    if (!known.empty() && SaysTheSame(edge, known.mapped())) continue;
    ++(known.empty() ? plan.added : plan.changed);
    plan.puts.push_back({{*a, *b}, &edge});
  }
  for (const auto& [ends, edge] : stored) plan.removals.push_back(ends);
  return plan;
}

}  // namespace

Verdict ApplyNeighborSnapshot(const ApplyContext& context, const queue::QueueFile& file) {
  const auto snapshot = DecodeNeighborSnapshot(file.payload);
  if (!snapshot) return Verdict::Of(Outcome::kRejected, snapshot.error());
  if (file.envelope.branch_id != static_cast<std::int64_t>(kMainBranch))
    return Verdict::Of(Outcome::kRejected, "neighbors have no branches: branch_id must be 1");

  NeighborStore neighbors(context.store.database());
  const Plan plan = Compare(context, neighbors, *snapshot);
  const std::string unknown =
      plan.unknown > 0 ? ", " + std::to_string(plan.unknown) + " name a node that was never met" : "";
  if (plan.puts.empty() && plan.removals.empty())
    return Verdict::Of(Outcome::kNoop, "no edge differs" + unknown);
  for (const NeighborStore::Ends& ends : plan.removals) neighbors.Remove(ends);
  HELIOGRAPH_FAILPOINT(kApplyMiddleOfRows);
  for (const auto& [ends, edge] : plan.puts) neighbors.Put(ends, *edge);
  return Verdict::Of(Outcome::kDone, std::to_string(plan.added) + " edges new, " +
                                         std::to_string(plan.changed) + " changed, " +
                                         std::to_string(plan.removals.size()) + " gone" + unknown);
}

}  // namespace heliograph::ingestor
