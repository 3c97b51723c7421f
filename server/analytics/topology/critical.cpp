#include "server/analytics/topology/critical.h"

#include <algorithm>
#include <utility>

#include "server/analytics/clusters/igraph_session.h"
#include "server/analytics/clusters/partition.h"

namespace heliograph::server {
namespace {

std::vector<std::uint32_t> CorenessOf(const ItemGraph& graph) {
  const IgraphSession session(0);
  const IgraphGraph igraph(session, graph);
  IgraphIntegers cores(session, graph.size());
  session.Check(igraph_coreness(igraph.get(), cores.get(), IGRAPH_ALL), "coreness");
  std::vector<std::uint32_t> coreness(graph.size());
  for (std::size_t i = 0; i < coreness.size(); ++i) coreness[i] = static_cast<std::uint32_t>(cores[i]);
  return coreness;
}

}  // namespace

std::optional<CriticalParts> FindCriticalParts(const ItemGraph& graph, std::uint64_t effort,
                                               std::stop_token stop) {
  CriticalParts parts;
  parts.cuts = FindCuts(graph);
  parts.coreness = CorenessOf(graph);
  for (const WeightedEdge& edge : graph.edges())
    parts.edge_coreness.push_back(std::min(parts.coreness[edge.a], parts.coreness[edge.b]));
  auto betweenness = MeasureBetweenness(graph, effort, SeedOf(graph.Digest(), 0), std::move(stop));
  if (!betweenness) return std::nullopt;
  parts.betweenness = std::move(*betweenness);
  return parts;
}

}  // namespace heliograph::server
