#include "server/feed/change_kinds.h"

#include <array>

namespace heliograph::server {
namespace {

constexpr std::array kKinds{
    ChangeKind{"capability_changed", "node", "its public key",
               "status, evidence, max_hash_size, adopted, likely_legacy, probability"},
    ChangeKind{"node_removed", "node", "its public key", "reason"},
    ChangeKind{"readiness_changed", "readiness", "mesh, or the region",
               "the figures of /api/multibyte/readiness, or null"},
    ChangeKind{"cluster_changed", "cluster", "its id",
               "collection, slug, title, title_pinned, status, representative, merged_into, merged_by_hand"},
    ChangeKind{"cluster_alias_added", "cluster_alias", "the alias", "cluster"},
    ChangeKind{"cluster_alias_removed", "cluster_alias", "the alias", "cluster"},
    ChangeKind{"cluster_decision", "cluster_decision", "its number",
               "cluster, run, outcome, class, state, confidence, reason"},
    ChangeKind{"cluster_override", "cluster_override", "its id",
               "cluster, action, actor, reason, title, undoes, other"},
    ChangeKind{"cluster_override_ended", "cluster_override", "its id", "cluster, action"},
    ChangeKind{"cluster_run_applied", "cluster_run", "its number",
               "collection, clusters, members, unclustered, previous_run"},
    ChangeKind{"cluster_job_finished", "cluster_job", "its id",
               "collection, kind, state, run, error, statistics"},
    ChangeKind{"branch_created", "branch", "its name", "base_seq"},
    ChangeKind{"branch_deleted", "branch", "its name", ""},
    ChangeKind{"commit", "commit", "its id",
               "kind, stream, actor, parent_seq, inserted, updated, removed, watermark"},
};

/// Adds `word` unless it is there.
void AddToList(std::string& list, std::string_view word) {
  if ((", " + list + ",").find(" " + std::string(word) + ",") != std::string::npos) return;
  if (!list.empty()) list += ", ";
  list += word;
}

}  // namespace

std::span<const ChangeKind> ChangeKinds() {
  return kKinds;
}

std::string ListChangeKinds() {
  std::string list;
  for (const ChangeKind& kind : kKinds) AddToList(list, kind.name);
  return list;
}

std::string ListChangedEntityKinds() {
  std::string list;
  for (const ChangeKind& kind : kKinds) AddToList(list, kind.entity_kind);
  return list;
}

std::string DescribeChangeKinds() {
  std::string text = "An entry's `data`, by its kind:";
  const char* separator = " ";
  for (const ChangeKind& kind : kKinds) {
    text.append(separator).append(kind.name).append(" (of a ").append(kind.entity_kind);
    text.append(", entity_id: ").append(kind.id).append("): ");
    text += kind.members.empty() ? "nothing" : kind.members;
    separator = "; ";
  }
  return text + ". The entries of a commit end with the one of kind commit.";
}

}  // namespace heliograph::server
