#include "server/analytics/clusters/community_graph.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace heliograph::server {
namespace {

constexpr double kHalfLifeMs = 48 * 3600 * 1000.0;
/// An edge of any age keeps a weight that arithmetic can see.
constexpr double kLeastExchange = 1e-9;

double ExchangeOf(const NeighborEdge& edge, std::optional<UtcMillis> data_time) {
  const double age_ms =
      data_time ? std::max<double>(0, static_cast<double>((*data_time - edge.last_seen).count())) : 0;
  return std::max(std::sqrt(edge.Count() * std::exp2(-age_ms / kHalfLifeMs)), kLeastExchange);
}

}  // namespace

ItemGraph AsCommunityGraph(const NeighborGraph& neighbors) {
  const ItemGraph linked = AsItemGraph(neighbors);
  std::vector<WeightedEdge> edges = linked.edges();  // in the order of the neighbors
  for (std::size_t i = 0; i < edges.size(); ++i)
    edges[i].weight = ExchangeOf(neighbors.edges[i], neighbors.data_time);
  const ItemGraph exchanged = linked.WithEdges(edges);
  for (WeightedEdge& edge : edges)
    edge.weight /= std::min(exchanged.StrengthOf(edge.a), exchanged.StrengthOf(edge.b));
  return linked.WithEdges(std::move(edges));
}

}  // namespace heliograph::server
