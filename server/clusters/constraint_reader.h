#pragma once

#include "server/analytics/clusters/partition_constraints.h"
#include "server/clusters/cluster_moment.h"

namespace heliograph::server {

/// What people decided, as it binds the next run of a collection on the branch of the moment. Runs in the
/// caller's read transaction, which is to be that of the active run; throws SQLite::Exception.
///
/// Together are the members that were put into a track, with its representative (or its firmest member that
/// is in it by itself), so that they come to where the track goes on; and the members of tracks that were
/// merged, as far as they still are in the whole. Apart from a track, and from what it went into, are the
/// members that were excluded or split off from it.
PartitionConstraints ConstraintsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                   ClusterCollection collection);

}  // namespace heliograph::server
