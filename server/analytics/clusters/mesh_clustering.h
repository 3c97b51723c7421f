#pragma once

#include <stop_token>

#include "queue/publisher.h"
#include "server/analytics/clusters/mesh_jobs.h"
#include "server/analytics/cycle_report.h"
#include "server/analytics/snapshot_stream.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The stream of the runs over the mesh.
inline constexpr const char* kMeshClusterStream = "clusters-mesh";

/// A run over the mesh on main without a job, for the analytics cycle of a command that ends after it. A run
/// that finds nothing, or whose input is the active one's, is not published. Used by one thread at a time.
class MeshClustering {
 public:
  /// The references outlive it.
  MeshClustering(const MeshJobs& jobs, queue::Publisher& publisher, ReaderPool& readers,
                 bool supersede_pending = false);

  /// Throws what ReaderPool::Read throws, and std::bad_alloc.
  StreamReport Run(std::stop_token stop);

 private:
  const MeshJobs& jobs_;
  SnapshotStream stream_;
};

}  // namespace heliograph::server
