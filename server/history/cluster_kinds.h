#pragma once

#include <array>

#include "server/clusters/cluster_moment.h"
#include "server/history/entity_kind.h"

namespace heliograph::server {

/// Where and when a question about clusters is asked on a line of history; `as_of_seq` is nothing for now.
ClusterMoment ClusterMomentOn(const BranchLine& line, std::optional<std::int64_t> as_of_seq);

/// What is versioned of clusters: the tracks, the states of their decisions, the names that they once had,
/// and what people corrected.
extern const std::array<EntityKind, 4> kClusterKinds;

}  // namespace heliograph::server
