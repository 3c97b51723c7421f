#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "common/config.h"
#include "queue/publisher.h"
#include "server/analytics/clusters/mesh_run.h"
#include "server/analytics/cycle_report.h"
#include "server/analytics/neighbors/neighbor_view.h"
#include "server/analytics/snapshot_stream.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The stream of the runs over the mesh.
inline constexpr const char* kMeshClusterStream = "clusters-mesh";

/// The part of the analytics cycle that divides the mesh into clusters, from time to time, and publishes each
/// run. It begins from the active run's clusters. A run that finds nothing, or whose
/// input is the active one's, is not published. Used by one thread at a time.
class MeshClustering {
 public:
  struct Settings {
    PartitionParameters parameters;
    std::chrono::seconds interval{900};  ///< between two runs, by the wall clock
    bool supersede_pending = false;
    MayBeNamed may_be_named = [](const PublicKey&, const NodeView*) { return true; };
  };
  using View = std::function<std::shared_ptr<const MeshView>()>;

  /// The references outlive it. `view` may return null.
  MeshClustering(View view, const NeighborBoard& board, queue::Publisher& publisher, ReaderPool& readers,
                 Settings settings);

  /// Throws what ReaderPool::Read throws, and std::bad_alloc.
  StreamReport Run(std::stop_token stop);

 private:
  const View view_;
  const NeighborBoard& board_;
  ReaderPool& readers_;
  const Settings settings_;
  SnapshotStream stream_;
  std::optional<std::chrono::steady_clock::time_point> last_run_;
};

/// As the operator wants the partition.
PartitionParameters MeshParametersOf(const Config& config);

}  // namespace heliograph::server
