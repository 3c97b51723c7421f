#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/analytics/neighbors/neighbor_graph.h"
#include "server/analytics/topology/critical.h"

namespace heliograph::server {

/// The neighbor graph of one moment with what follows from it. Immutable.
struct NeighborView {
  /// Edges of fewer floods may be an accident of the resolution, and do not hold the mesh together.
  static constexpr double kFirmCount = 3;

  NeighborGraph graph;
  bool from_database = false;  ///< as the database has it: the packets have not all been read yet
  ItemGraph firm;              ///< the edges of at least kFirmCount
  CriticalParts critical;      ///< of `firm`
  std::unordered_map<PublicKey, std::vector<std::uint32_t>> edges_of;  ///< into graph.edges, ascending
  std::uint64_t generation = 0;                                        ///< changes with every view
};

/// The view of a graph, without its generation. Nothing when `stop` was requested. Throws what
/// FindCriticalParts throws.
std::optional<NeighborView> MakeNeighborView(NeighborGraph graph, bool from_database, std::stop_token stop);

/// Where the present view is shown. Thread-safe.
class NeighborBoard {
 public:
  /// Null before the first.
  std::shared_ptr<const NeighborView> Current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  /// Shows the view under a generation of its own.
  void Show(NeighborView view) {
    const std::lock_guard lock(mutex_);
    view.generation = current_ ? current_->generation + 1 : 1;
    current_ = std::make_shared<const NeighborView>(std::move(view));
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const NeighborView> current_;
};

}  // namespace heliograph::server
