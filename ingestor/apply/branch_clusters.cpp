#include "ingestor/apply/branch_clusters.h"

#include <array>
#include <limits>

namespace heliograph::ingestor {
namespace {

constexpr std::array kCollections{ClusterCollection::kMesh, ClusterCollection::kItems};

std::optional<RunKey> NumberOf(const std::optional<ClusterPointer>& pointer) {
  return pointer ? std::optional(pointer->active) : std::nullopt;
}

bool SaysTheSame(const std::optional<ClusterPointer>& known, const ClusterPointer& said) {
  return known && known->content == said.content;
}

}  // namespace

ClusterMergePlan PlanClusterMerge(SQLite::Database& database, const Branch& branch,
                                  const CommonAncestor& ancestor, MergeSide side) {
  constexpr CommitSeq kNow{std::numeric_limits<std::int64_t>::max()};
  ClusterRunStore runs(database);
  ClusterMergePlan plan;
  for (const ClusterCollection collection : kCollections) {
    const auto own = runs.OwnActiveAt(branch.id, collection, branch.head);
    if (!own || own->commit <= ancestor.on_branch) continue;
    const auto base = runs.OwnActiveAt(kMainBranch, collection, ancestor.on_main);
    const auto main = runs.OwnActiveAt(kMainBranch, collection, kNow);
    const auto considered = runs.OwnActiveAt(branch.id, collection, ancestor.on_branch);
    if (SaysTheSame(main, *own) || SaysTheSame(base, *own) || SaysTheSame(considered, *own)) continue;
    const ClusterMeeting meeting{collection, NumberOf(base), NumberOf(main), own->active};
    if (meeting.main != meeting.base) {
      plan.conflicts.push_back(meeting);
      if (side != MergeSide::kBranch) continue;
    }
    if (!own->is_whole) plan.pruned = meeting;
    plan.takes.push_back(meeting);
  }
  return plan;
}

std::string ClusterStream(ClusterCollection collection) {
  return "clusters/" + std::string(Name(collection));
}

}  // namespace heliograph::ingestor
