#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// How many of the best ways between two others lead over a vertex or an edge: the share of all pairs, 0
/// to 1. The length of an edge is the inverse of its weight, in thousandths of the strongest edge's, so that
/// equal ways are equal.
struct Betweenness {
  std::vector<double> of_vertex;
  std::vector<double> of_edge;
  /// Twice the largest standard error of any figure, by the spread over the sources that were taken; 0 when
  /// exact. Small figures are nearer to the truth than this says, in absolute terms.
  double error = 0;
  std::size_t sources = 0;  ///< vertices from which ways were looked for
  bool exact = true;        ///< from all of them
};

/// What a computation of betweenness may cost, in looks at an edge or a vertex. Some ten million of them take
/// a second.
inline constexpr std::uint64_t kBetweennessEffort = 20'000'000;
/// But so many sources are always taken, for fewer say nothing.
inline constexpr std::size_t kLeastSources = 32;

/// Brandes' method (2001): from all vertices when that costs no more than `effort`, else from as many as it
/// allows, drawn by `seed` without repetition (Brandes and Pich 2007). The same graph, effort and seed give
/// the same figures. Nothing when `stop` was requested.
std::optional<Betweenness> MeasureBetweenness(const ItemGraph& graph, std::uint64_t effort,
                                              std::uint64_t seed, std::stop_token stop);

}  // namespace heliograph::server
