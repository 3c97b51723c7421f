#include "server/analytics/neighbors/neighbor_view.h"

namespace heliograph::server {
namespace {

std::unordered_map<PublicKey, std::vector<std::uint32_t>> IndexEnds(const std::vector<NeighborEdge>& edges) {
  std::unordered_map<PublicKey, std::vector<std::uint32_t>> index;
  for (std::uint32_t i = 0; i < edges.size(); ++i) {
    index[edges[i].a].push_back(i);
    index[edges[i].b].push_back(i);
  }
  return index;
}

}  // namespace

std::optional<NeighborView> MakeNeighborView(NeighborGraph graph, bool from_database, std::stop_token stop) {
  NeighborView view;
  view.graph = std::move(graph);
  view.from_database = from_database;
  view.edges_of = IndexEnds(view.graph.edges);
  view.firm = AsItemGraph(view.graph, NeighborView::kFirmCount);
  auto critical = FindCriticalParts(view.firm, kBetweennessEffort, std::move(stop));
  if (!critical) return std::nullopt;
  view.critical = std::move(*critical);
  return view;
}

}  // namespace heliograph::server
