#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/cluster_snapshot.h"
#include "server/analytics/clusters/partition.h"
#include "server/analytics/neighbors/neighbor_graph.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// The items of the collection `mesh`: the ends of all edges, and the active nodes, those without an edge
/// among them.
ItemGraph MeshItems(const NeighborGraph& neighbors, const MeshView& view);

/// Whether the operator lets a node be named in public, as a label or a representative does. Thread-safe.
using MayBeNamed = std::function<bool(const PublicKey& key, const NodeView* node)>;  ///< null: no node

/// One run over the collection `mesh`, from the former groups and under what people decided: the neighbors
/// divided by who belongs with whom (AsCommunityGraph). Of the members that may be named, the strongest one
/// that was heard in the day before the newest packet represents a cluster, and the names of the two
/// strongest forwarding ones are its label (regions, where none has a name). A cluster with none that may be
/// named has no label, and its strongest member represents it. The same input gives the same run. REQUIRED:
/// `may_be_named` is callable.
tl::expected<ClusterSnapshot, PartitionError> ComputeMeshRun(
    const NeighborGraph& neighbors, const MeshView& view, const PartitionParameters& parameters,
    const FormerGroups& former, const PartitionConstraints& constraints, const MayBeNamed& may_be_named,
    std::stop_token stop);

}  // namespace heliograph::server
