#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "queue/publisher.h"
#include "server/analytics/cycle_report.h"
#include "server/analytics/neighbors/neighbor_graph.h"
#include "server/analytics/neighbors/neighbor_view.h"
#include "server/analytics/snapshot_stream.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The stream of the neighbor snapshots.
inline constexpr const char* kNeighborStream = "neighbors";

/// The part of the analytics cycle that finds out who hands floods to whom, shows it with what holds the mesh
/// together, and publishes it when it says something that the database does not. A mesh of which nothing new
/// is known keeps the view that it has. Until all packets are read it shows what the database has. Used by
/// one thread at a time.
class NeighborAnalysis {
 public:
  /// The graph of the present; nothing while the packets have not all been read.
  using Collect = std::function<std::optional<NeighborGraph>()>;
  /// The newest receipt that is known; nothing without one.
  using DataTime = std::function<std::optional<UtcMillis>()>;

  /// The references outlive it.
  NeighborAnalysis(Collect collect, DataTime data_time, queue::Publisher& publisher, ReaderPool& readers,
                   NeighborBoard& board, bool supersede_pending = false);

  /// Throws what ReaderPool::Read throws, and std::bad_alloc.
  StreamReport Run(std::stop_token stop);

 private:
  StreamReport ShowStored(std::stop_token stop);
  StreamReport Publish(const NeighborGraph& graph);

  const Collect collect_;
  const DataTime data_time_;
  ReaderPool& readers_;
  NeighborBoard& board_;
  SnapshotStream stream_;
};

}  // namespace heliograph::server
