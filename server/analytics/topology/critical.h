#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "server/analytics/topology/betweenness.h"
#include "server/analytics/topology/cuts.h"

namespace heliograph::server {

/// How much each item and each edge matters to a graph.
struct CriticalParts {
  Cuts cuts;
  Betweenness betweenness;
  std::vector<std::uint32_t>
      coreness;  ///< by vertex: the largest k of a part where each has k neighbors (Seidman)
  std::vector<std::uint32_t> edge_coreness;  ///< by edge: the smaller of its ends'
};

/// Measures all of it; betweenness as exactly as `effort` allows (MeasureBetweenness). Nothing when `stop`
/// was requested. Throws std::bad_alloc, and std::runtime_error when igraph refuses.
std::optional<CriticalParts> FindCriticalParts(const ItemGraph& graph, std::uint64_t effort,
                                               std::stop_token stop);

}  // namespace heliograph::server
