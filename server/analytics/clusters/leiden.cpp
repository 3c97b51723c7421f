#include "server/analytics/clusters/leiden.h"

#include <algorithm>

namespace heliograph::server {
namespace {

/// How often the refinement takes a move that is not the best one: the value that igraph's and the authors'
/// own programs have.
constexpr double kRandomness = 0.01;

}  // namespace

LeidenGraph::LeidenGraph(const ItemGraph& graph) : graph_(graph), igraph_(IgraphSession(0), graph) {
  weights_.reserve(graph.edges().size());
  for (const WeightedEdge& edge : graph.edges()) weights_.push_back(edge.weight);
}

Grouping LeidenGraph::Run(const Pass& pass) const {
  if (graph_.edges().empty()) return Singletons(graph_.size());
  const Grouping start = pass.start ? SplitIntoConnected(graph_, *pass.start) : Singletons(graph_.size());
  Grouping found(graph_.size());
  {
    const IgraphSession session(pass.seed);
    IgraphIntegers membership(session, graph_.size());
    for (std::size_t i = 0; i < start.size(); ++i) membership[i] = static_cast<igraph_integer_t>(start[i]);
    const bool modularity = pass.objective == Objective::kModularity;
    const IgraphReals weights(session, weights_);
    const IgraphReals sizes(session, modularity ? graph_.strengths() : graph_.sizes());
    const double resolution = modularity ? pass.resolution / (2 * graph_.total_weight()) : pass.resolution;
    igraph_integer_t groups = 0;
    igraph_real_t quality = 0;
    session.Check(igraph_community_leiden(igraph_.get(), weights.get(), sizes.get(), resolution, kRandomness,
                                          /*start=*/true, std::max(pass.iterations, 1), membership.get(),
                                          &groups, &quality),
                  "the Leiden method");
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = static_cast<std::uint32_t>(membership[i]);
  }
  return SplitIntoConnected(graph_, found);
}

}  // namespace heliograph::server
