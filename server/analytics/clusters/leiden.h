#pragma once

#include <cstdint>
#include <vector>

#include "server/analytics/clusters/grouping.h"
#include "server/analytics/clusters/igraph_session.h"
#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// What a grouping is good at.
enum class Objective : std::uint8_t {
  kModularity,     ///< more weight inside than the strengths of the members make likely (Reichardt and
                   ///< Bornholdt)
  kConstantPotts,  ///< more weight between members than the resolution for each pair (Traag 2011)
};

/// A graph in igraph's form, for any number of passes of the Leiden method (Traag, Waltman, van Eck 2019).
/// Used by one thread at a time; passes of different graphs wait for each other.
class LeidenGraph {
 public:
  /// Throws std::bad_alloc, and std::runtime_error when igraph refuses. `graph` outlives it.
  explicit LeidenGraph(const ItemGraph& graph);

  struct Pass {
    Objective objective = Objective::kModularity;
    double resolution = 1;   ///< larger: more and smaller groups
    std::uint64_t seed = 0;  ///< the same seed gives the same groups
    int iterations = 2;      ///< of the whole method; at least 1, for an unbounded number may never end
    const Grouping* start = nullptr;  ///< where to begin; nothing: every vertex alone
  };

  /// Groups that hold together by their own edges, numbered as SplitIntoConnected does. igraph 0.10.2 lets
  /// groups of the start that fall apart survive, so the start is split into its connected parts before, and
  /// the result after.
  Grouping Run(const Pass& pass) const;

 private:
  const ItemGraph& graph_;
  std::vector<double> weights_;
  IgraphGraph igraph_;
};

}  // namespace heliograph::server
