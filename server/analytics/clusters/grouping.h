#pragma once

#include <cstdint>
#include <vector>

#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// A group for each vertex. Equal labels are one group; what the numbers are says nothing.
using Grouping = std::vector<std::uint32_t>;

/// Every vertex a group of its own.
Grouping Singletons(std::size_t size);

/// Splits each group into the parts that edges inside it hold together, and numbers the parts from 0 in the
/// order of their smallest vertices: the same grouping always comes out as the same numbers. REQUIRED: a
/// label for each vertex.
Grouping SplitIntoConnected(const ItemGraph& graph, const Grouping& labels);

/// True when no group falls apart.
bool AreConnected(const ItemGraph& graph, const Grouping& labels);

/// The connected components of the whole graph, numbered likewise.
Grouping ComponentsOf(const ItemGraph& graph);

/// How many groups there are. REQUIRED: numbered from 0 without gaps, as the functions above do.
std::uint32_t CountOf(const Grouping& labels);

/// The adjusted Rand index of two groupings of the same vertices: 1 for the same grouping, about 0 for
/// unrelated ones (Hubert and Arabie 1985). 1 when both are trivial in the same way.
double AdjustedRandIndex(const Grouping& a, const Grouping& b);

}  // namespace heliograph::server
