#pragma once

#include "server/analytics/clusters/item_graph.h"
#include "server/analytics/neighbors/neighbor_graph.h"

namespace heliograph::server {

/// Who belongs with whom, of keys in lower-case hex. An edge weighs the share that it has in what the less
/// busy of its ends receives and sends: a repeater on a summit, which everybody hears, so ties nobody to
/// those who merely hear it too, and a node with few packets counts as much as one with many. In these shares
/// floods count by the square root of their number, which is halved by every two days without one. Weights
/// are above 0 and at most 1.
ItemGraph AsCommunityGraph(const NeighborGraph& neighbors);

}  // namespace heliograph::server
