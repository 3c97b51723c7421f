#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "server/analytics/clusters/partition.h"

namespace heliograph::server {

struct ResolutionSearch {
  PartitionParameters parameters;                ///< but for the resolution
  std::vector<double> grid = {1, 1.5, 2, 3, 4};  ///< what is tried
  int replicas = 8;                              ///< perturbed copies of the graph for each
  double loss = 0.1;                             ///< the share of edges that a copy lacks
  /// Called after each partition with how many of how many are done; may be empty.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

/// How well the clusters of one resolution withstand a loss of edges.
struct ResolutionTrial {
  double resolution = 0;
  double stability = 0;       ///< mean adjusted Rand index of the copies' groupings against the whole graph's
  double standard_error = 0;  ///< of that mean
  std::size_t clusters = 0;
  std::size_t unclustered = 0;
  double quality = 0;

  bool operator==(const ResolutionTrial&) const = default;
};

struct ResolutionChoice {
  double resolution = 0;                ///< the chosen one
  std::vector<ResolutionTrial> trials;  ///< in the order of the grid
};

/// Finds the resolution whose clusters are not an accident of the edges that happened to be observed. Of
/// those whose stability is within one standard error of the best (and those within 0.01 always), the finest
/// is chosen: it says more and is as certain. A resolution that gives fewer than two clusters is chosen only
/// when all do. Costs a partition for each resolution and copy, so it is a job of its own. The same graph
/// gives the same choice.
tl::expected<ResolutionChoice, PartitionError> ChooseResolution(const ItemGraph& graph,
                                                                const ResolutionSearch& search,
                                                                std::stop_token stop);

}  // namespace heliograph::server
