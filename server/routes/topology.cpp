#include "server/routes/topology.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "server/http/response_cache.h"
#include "server/routes/guard.h"
#include "server/routes/neighbor_selection.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::size_t kMaxComponents = 100;

enum class CriticalOrder { kBetweenness, kCutOff, kCoreness };

struct CriticalPage {
  CriticalOrder order = CriticalOrder::kBetweenness;
  std::size_t limit = kDefaultPage;
  std::size_t offset = 0;
};

CriticalPage ReadPage(const Request& request, std::int64_t maximum) {
  CriticalPage page;
  page.order = EnumParameter<CriticalOrder>(request, "sort",
                                            {{"betweenness", CriticalOrder::kBetweenness},
                                             {"cut_off", CriticalOrder::kCutOff},
                                             {"coreness", CriticalOrder::kCoreness}})
                   .value_or(page.order);
  page.limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, maximum}));
  page.offset = static_cast<std::size_t>(OffsetParameter(request));
  return page;
}

double Rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

/// The measures of vertices or of edges, side by side.
struct Measures {
  const std::vector<double>& betweenness;
  const std::vector<std::uint32_t>& coreness;
  std::vector<std::size_t> cut_off;  ///< 0 for those whose loss cuts nothing off
};

/// `items` with the most critical of the page's order first; ties as they were.
void Sort(std::vector<std::uint32_t>& items, const Measures& measures, CriticalOrder order) {
  std::stable_sort(items.begin(), items.end(), [&](std::uint32_t x, std::uint32_t y) {
    switch (order) {
      case CriticalOrder::kCutOff:
        return std::pair(measures.cut_off[x], measures.betweenness[x]) >
               std::pair(measures.cut_off[y], measures.betweenness[y]);
      case CriticalOrder::kCoreness:
        return measures.coreness[x] > measures.coreness[y];
      case CriticalOrder::kBetweenness:
        break;
    }
    return measures.betweenness[x] > measures.betweenness[y];
  });
}

/// Writes the items of the page in order.
template <typename Write>
void WritePage(JsonText& out, std::vector<std::uint32_t> items, const Measures& measures,
               const CriticalPage& page, Write&& write) {
  Sort(items, measures, page.order);
  const std::size_t begin = std::min(items.size(), page.offset);
  const std::size_t end = begin + std::min(items.size() - begin, page.limit);
  out.BeginArray();
  for (std::size_t i = begin; i < end; ++i) write(items[i]);
  out.EndArray();
}

/// The answer for one page, from the graph of firm edges.
class CriticalAnswer {
 public:
  CriticalAnswer(const NeighborView& neighbors, const MeshView& view, const Visibility& visibility)
      : neighbors_(neighbors),
        graph_(neighbors.firm),
        parts_(neighbors.critical),
        vertices_{parts_.betweenness.of_vertex, parts_.coreness, std::vector<std::size_t>(graph_.size())},
        edges_{parts_.betweenness.of_edge, parts_.edge_coreness,
               std::vector<std::size_t>(graph_.edges().size())},
        cuts_(graph_.size()) {
    for (const std::string& key : graph_.keys())
      stations_.emplace_back(view, PublicKey::FromHex(key).value());
    for (Vertex vertex = 0; vertex < graph_.size(); ++vertex)
      if (stations_[vertex].IsShown(visibility)) shown_vertices_.push_back(vertex);
    for (std::uint32_t i = 0; i < graph_.edges().size(); ++i) {
      const WeightedEdge& edge = graph_.edges()[i];
      if (stations_[edge.a].IsShown(visibility) && stations_[edge.b].IsShown(visibility))
        shown_edges_.push_back(i);
    }
    for (const CutVertex& cut : parts_.cuts.cut_vertices) {
      cuts_[cut.vertex] = &cut;
      vertices_.cut_off[cut.vertex] = cut.cut_off;
    }
    for (const BridgeEdge& bridge : parts_.cuts.bridges) edges_.cut_off[bridge.edge] = bridge.cut_off;
  }

  std::string Build(const CriticalPage& page) const {
    JsonText out;
    out.BeginObject().Key("nodes");
    WritePage(out, shown_vertices_, vertices_, page, [&](Vertex vertex) { WriteVertex(out, vertex); });
    out.Member("total", shown_vertices_.size()).Key("edges");
    WritePage(out, shown_edges_, edges_, page, [&](std::uint32_t edge) { WriteEdge(out, edge); });
    out.Member("total_edges", shown_edges_.size()).Key("components");
    WriteComponents(out);
    out.Key("summary");
    WriteSummary(out);
    out.EndObject();
    return std::move(out).Take();
  }

 private:
  void WriteVertex(JsonText& out, Vertex vertex) const {
    const CutVertex* cut = cuts_[vertex];
    BeginStation(out, stations_[vertex])
        .Member("component", parts_.cuts.components[vertex])
        .Member("neighbors", graph_.NeighborsOf(vertex).size())
        .Member("coreness", parts_.coreness[vertex])
        .Member("betweenness", Rounded(parts_.betweenness.of_vertex[vertex]))
        .Member("is_cut_vertex", cut != nullptr)
        .Member("parts", cut == nullptr ? 1 : cut->parts)
        .Member("cut_off", vertices_.cut_off[vertex])
        .Member("pairs_lost", cut == nullptr ? 0 : cut->pairs_lost)
        .EndObject();
  }

  void WriteEdge(JsonText& out, std::uint32_t i) const {
    const WeightedEdge& edge = graph_.edges()[i];
    out.BeginObject()
        .Member("source", graph_.keys()[edge.a])
        .Member("target", graph_.keys()[edge.b])
        .Member("source_name", stations_[edge.a].name())
        .Member("target_name", stations_[edge.b].name())
        .Member("component", parts_.cuts.components[edge.a])
        .Member("strength", Rounded(edge.weight))
        .Member("coreness", parts_.edge_coreness[i])
        .Member("betweenness", Rounded(parts_.betweenness.of_edge[i]))
        .Member("is_bridge", edges_.cut_off[i] > 0)
        .Member("cut_off", edges_.cut_off[i])
        .EndObject();
  }

  void WriteComponents(JsonText& out) const {
    const std::vector<std::size_t>& sizes = parts_.cuts.component_sizes;
    std::vector<std::uint32_t> order(sizes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t x, std::uint32_t y) { return sizes[x] > sizes[y]; });
    if (order.size() > kMaxComponents) order.resize(kMaxComponents);
    out.BeginArray();
    for (const std::uint32_t id : order)
      out.BeginObject().Member("id", id).Member("size", sizes[id]).EndObject();
    out.EndArray();
  }

  void WriteSummary(JsonText& out) const {
    out.BeginObject()
        .Member("nodes", graph_.size())
        .Member("edges", graph_.edges().size())
        .Member("components", parts_.cuts.component_sizes.size())
        .Member("cut_vertices", parts_.cuts.cut_vertices.size())
        .Member("bridges", parts_.cuts.bridges.size())
        .Member("least_count", NeighborView::kFirmCount)
        .Member("betweenness_exact", parts_.betweenness.exact)
        .Member("betweenness_sources", parts_.betweenness.sources)
        .Member("betweenness_error", Rounded(parts_.betweenness.error))
        .Member("complete", !neighbors_.from_database)
        .Member("data_time", neighbors_.graph.data_time)
        .EndObject();
  }

  const NeighborView& neighbors_;
  const ItemGraph& graph_;
  const CriticalParts& parts_;
  Measures vertices_, edges_;
  std::vector<const CutVertex*> cuts_;  ///< by vertex; null for others
  std::vector<StationName> stations_;   ///< by vertex
  std::vector<std::uint32_t> shown_vertices_, shown_edges_;
};

}  // namespace

void RegisterTopologyRoutes(Router& router, const RouteContext& context) {
  const std::int64_t maximum = context.config().list_limits.nodes;
  Route route;
  route.path = "/api/analytics/topology/critical";
  route.tag = "analytics";
  route.summary =
      "What holds the mesh together: nodes and edges of the neighbor graph, the most critical first, those "
      "edges left out "
      "that were seen less than summary.least_count times. cut_off is how many nodes lose the largest part "
      "of their "
      "component when the node or edge goes, parts into how many the rest falls, pairs_lost how many pairs "
      "no longer "
      "reach each other, betweenness the share of all pairs whose best way leads over it, "
      "within summary.betweenness_error, coreness the largest k of a part where each has k neighbors. limit "
      "and offset "
      "hold for nodes and edges alike; components are at most 100, the largest first.";
  route.parameters = {
      TextDoc("sort", "The order; betweenness unless given.", {"betweenness", "cut_off", "coreness"}),
      LimitDoc(kDefaultPage, maximum), OffsetDoc()};
  route.responses = {{200, "nodes, total, edges, total_edges, components and summary.", "application/json"}};
  auto cache = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 2 * 1024 * 1024});
  route.handler = WhenReady(context, [context, cache, maximum](const Request& request, const MeshView& view) {
    const auto neighbors = CurrentNeighbors(context);
    return RespondCached(request, NeighborsGeneration(context, view, *neighbors), *cache, [&] {
      return CriticalAnswer(*neighbors, view, context.visibility()).Build(ReadPage(request, maximum));
    });
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
