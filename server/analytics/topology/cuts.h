#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/analytics/clusters/grouping.h"
#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// An edge without which its component falls into two.
struct BridgeEdge {
  std::uint32_t edge = 0;   ///< into the graph's edges
  std::size_t cut_off = 0;  ///< vertices in the smaller of the two parts

  bool operator==(const BridgeEdge&) const = default;
};

/// A vertex without which what remains of its component falls apart.
struct CutVertex {
  Vertex vertex = 0;
  std::size_t parts = 0;         ///< into how many, at least two
  std::size_t cut_off = 0;       ///< vertices outside the largest of them
  std::uint64_t pairs_lost = 0;  ///< pairs of vertices that no longer reach each other

  bool operator==(const CutVertex&) const = default;
};

/// What holds a graph together, whatever the weights are.
struct Cuts {
  Grouping components;                       ///< numbered by their smallest vertices
  std::vector<std::size_t> component_sizes;  ///< by those numbers
  std::vector<BridgeEdge> bridges;           ///< ascending by edge
  std::vector<CutVertex> cut_vertices;       ///< ascending by vertex
};

/// In linear time, by one depth-first search (Tarjan 1972), which also knows how much hangs below each edge.
Cuts FindCuts(const ItemGraph& graph);

}  // namespace heliograph::server
