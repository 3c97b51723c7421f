#pragma once

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

/// One run over the collection `mesh`, from the former groups and under what people decided: the neighbors
/// divided by who belongs with whom (AsCommunityGraph). The strongest member that was heard in the day before
/// the newest packet represents a cluster, and the names of its two strongest forwarding members are its
/// label (regions, where none has a name). The same input gives the same run.
tl::expected<ClusterSnapshot, PartitionError> ComputeMeshRun(
    const NeighborGraph& neighbors, const MeshView& view, const PartitionParameters& parameters,
    const FormerGroups& former, const PartitionConstraints& constraints, std::stop_token stop);

}  // namespace heliograph::server
