#include "server/routes/neighbors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "server/http/problem.h"
#include "server/http/response_cache.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/neighbor_selection.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultEdges = 10'000;
constexpr std::int64_t kMaxEdges = 20'000;
constexpr std::int64_t kMaxNeighbors = 500;
constexpr std::int64_t kMostCount = 1'000'000'000;

double Rounded(double value) {
  return std::round(value * 10'000) / 10'000;
}

struct GraphFilter {
  std::int64_t min_count = 5;  // CoreScope's
  double min_score = 0.1;      // likewise
  RegionFilter region;
  std::string role;
  std::size_t limit = kDefaultEdges;
};

GraphFilter ReadFilter(const Request& request) {
  GraphFilter filter;
  filter.min_count = IntegerParameter(request, "min_count", 0, kMostCount).value_or(filter.min_count);
  filter.min_score = NumberParameter(request, "min_score", 0, 1).value_or(filter.min_score);
  filter.region = RegionParameter(request);
  if (const std::string* role = request.FindQuery("role")) filter.role = *role;
  filter.limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultEdges, kMaxEdges}));
  return filter;
}

struct ShownEdge {
  const NeighborEdge* edge;
  StationName a, b;
  double score, weight;
};

std::vector<ShownEdge> SelectEdges(const NeighborView& neighbors, const MeshView& view,
                                   const Visibility& visibility, const GraphFilter& filter) {
  std::vector<ShownEdge> edges;
  for (const NeighborEdge& edge : neighbors.graph.edges) {
    const double score = ScoreOf(edge, neighbors.graph.data_time);
    if (WholeCount(edge) < filter.min_count || score < filter.min_score) continue;
    const StationName a(view, edge.a), b(view, edge.b);
    if (!a.IsShown(visibility) || !b.IsShown(visibility)) continue;
    if (!a.IsIn(filter.region) || !b.IsIn(filter.region)) continue;
    if (!filter.role.empty() && a.role() != filter.role && b.role() != filter.role) continue;
    edges.push_back({&edge, a, b, score, WeightOf(edge, neighbors.graph.data_time)});
  }
  return edges;
}

void WriteGraphEdge(JsonText& out, const ShownEdge& shown) {
  const NeighborEdge& edge = *shown.edge;
  out.BeginObject()
      .Member("source", edge.a.ToHex())
      .Member("target", edge.b.ToHex())
      .Member("weight", WholeCount(edge))
      .Member("score", Rounded(shown.score))
      .Member("strength", Rounded(shown.weight))
      .Member("bidirectional", edge.a_to_b > 0 && edge.b_to_a > 0)
      .Member("source_to_target", edge.a_to_b)
      .Member("target_to_source", edge.b_to_a)
      .Member("observer_count", static_cast<std::int64_t>(edge.observers))
      .Member("avg_snr", edge.snr_db)
      .Member("distance_km", DistanceBetween(shown.a, shown.b))
      .Member("last_seen", edge.last_seen)
      .Member("ambiguous", IsAmbiguous(edge))
      .EndObject();
}

std::string BuildGraph(const NeighborView& neighbors, const MeshView& view, const Visibility& visibility,
                       const GraphFilter& filter) {
  std::vector<ShownEdge> edges = SelectEdges(neighbors, view, visibility, filter);
  const std::size_t total = edges.size();
  const auto ambiguous = std::count_if(edges.begin(), edges.end(),
                                       [](const ShownEdge& shown) { return IsAmbiguous(*shown.edge); });
  std::map<PublicKey, std::int64_t> counts;
  for (const ShownEdge& shown : edges) {
    ++counts[shown.edge->a];
    ++counts[shown.edge->b];
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const ShownEdge& x, const ShownEdge& y) { return x.weight > y.weight; });
  if (edges.size() > filter.limit)
    edges.erase(edges.begin() + static_cast<std::ptrdiff_t>(filter.limit), edges.end());
  std::map<PublicKey, StationName> stations;
  for (const ShownEdge& shown : edges) {
    stations.emplace(shown.edge->a, shown.a);
    stations.emplace(shown.edge->b, shown.b);
  }
  JsonText out;
  out.BeginObject().Key("nodes").BeginArray();
  for (const auto& [key, station] : stations)
    BeginStation(out, station).Member("neighbor_count", counts[key]).EndObject();
  out.EndArray().Key("edges").BeginArray();
  for (const ShownEdge& shown : edges) WriteGraphEdge(out, shown);
  const double size =
      counts.empty() ? 0 : 2 * static_cast<double>(total) / static_cast<double>(counts.size());
  out.EndArray()
      .Key("stats")
      .BeginObject()
      .Member("total_nodes", counts.size())
      .Member("total_edges", total)
      .Member("ambiguous_edges", ambiguous)
      .Member("avg_cluster_size", Rounded(size))
      .Member("rejected_edges_geo_far", neighbors.graph.too_far)
      .Member("truncated", edges.size() < total)
      .Member("complete", !neighbors.from_database)
      .Member("data_time", neighbors.graph.data_time)
      .EndObject()
      .EndObject();
  return std::move(out).Take();
}

Route GraphRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/analytics/neighbor-graph";
  route.tag = "analytics";
  route.summary =
      "Who hands floods to whom: the strongest edges that pass the filters, and their nodes. weight is how "
      "often an edge "
      "was seen (an expected number where a path hash may be several nodes), score how established it is, "
      "strength the "
      "same less where few observers saw it or the SNR is low. avg_cluster_size is the mean number of "
      "neighbors. "
      "complete is false while the packets are still being read and the stored edges are shown.";
  ParameterDoc min_score;
  min_score.name = "min_score";
  min_score.description = "Least score, 0 to 1; 0.1 unless given.";
  min_score.type = ParameterType::kNumber;
  route.parameters = {IntegerDoc("min_count", "Least weight; 5 unless given.", 0, kMostCount), min_score,
                      RegionDoc(), TextDoc("role", "Only edges with such a node at one end at least."),
                      LimitDoc(kDefaultEdges, kMaxEdges)};
  route.responses = {{200, "nodes, edges and stats.", "application/json"}};
  auto cache = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 8 * 1024 * 1024});
  route.handler = WhenReady(context, [context, cache](const Request& request, const MeshView& view) {
    const auto neighbors = CurrentNeighbors(context);
    return RespondCached(request, NeighborsGeneration(context, view, *neighbors), *cache, [&] {
      return BuildGraph(*neighbors, view, context.visibility(), ReadFilter(request));
    });
  });
  return route;
}

struct ListFilter {
  std::int64_t min_count = 1;
  double min_score = 0;
  bool include_ambiguous = false;
  std::size_t limit = kMaxNeighbors;
};

bool Passes(const NeighborEdge& edge, double score, const ListFilter& filter) {
  if (score < filter.min_score) return false;
  return IsAmbiguous(edge) ? filter.include_ambiguous : WholeCount(edge) >= filter.min_count;
}

struct Neighbor {
  const NeighborEdge* edge;
  std::vector<PublicKey> observers;
  StationName station;
  double score;
};

void WriteNeighbor(JsonText& out, const Neighbor& neighbor, const StationName& self) {
  const NeighborEdge& edge = *neighbor.edge;
  const bool is_a = self.key() == edge.a;
  BeginStation(out, neighbor.station)
      .Member("prefix", neighbor.station.key().ToHex().substr(0, 2))
      .Member("count", WholeCount(edge))
      .Member("we_hear", is_a ? edge.b_to_a : edge.a_to_b)
      .Member("they_hear", is_a ? edge.a_to_b : edge.b_to_a)
      .Member("score", Rounded(neighbor.score))
      .Member("first_seen", edge.first_seen)
      .Member("last_seen", edge.last_seen)
      .Member("avg_snr", edge.snr_db)
      .Member("distance_km", DistanceBetween(self, neighbor.station))
      .Member("observer_count", static_cast<std::int64_t>(edge.observers))
      .Key("observers")
      .BeginArray();
  for (const PublicKey& observer : neighbor.observers) out.Value(observer.ToObserverId());
  out.EndArray().Member("ambiguous", IsAmbiguous(edge)).EndObject();
}

/// Those whom the edge is known from, as far as they are shown.
std::vector<PublicKey> ShownObservers(const NeighborView& neighbors, std::size_t edge, const MeshView& view,
                                      const Visibility& visibility) {
  if (neighbors.graph.observers.empty()) return {};
  std::vector<PublicKey> shown = neighbors.graph.observers[edge];
  std::erase_if(shown, [&](const PublicKey& key) { return !StationName(view, key).IsShown(visibility); });
  return shown;
}

std::string BuildNeighbors(const NeighborView& neighbors, const MeshView& view, const Visibility& visibility,
                           const StationName& self, const ListFilter& filter) {
  std::vector<Neighbor> found;
  double seen = 0;
  if (const auto ends = neighbors.edges_of.find(self.key()); ends != neighbors.edges_of.end()) {
    for (const std::uint32_t i : ends->second) {
      const NeighborEdge& edge = neighbors.graph.edges[i];
      const StationName other(view, edge.a == self.key() ? edge.b : edge.a);
      const double score = ScoreOf(edge, neighbors.graph.data_time);
      if (!other.IsShown(visibility) || !Passes(edge, score, filter)) continue;
      seen += edge.Count();
      found.push_back({&edge, ShownObservers(neighbors, i, view, visibility), other, score});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Neighbor& x, const Neighbor& y) {
    return std::pair(x.score, x.edge->Count()) > std::pair(y.score, y.edge->Count());
  });
  JsonText out;
  out.BeginObject().Member("node", self.key().ToHex()).Key("neighbors").BeginArray();
  for (std::size_t i = 0; i < std::min(found.size(), filter.limit); ++i) WriteNeighbor(out, found[i], self);
  out.EndArray().Member("total", found.size()).Member("total_observations", std::llround(seen)).EndObject();
  return std::move(out).Take();
}

Route NeighborsRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/nodes/{pubkey}/neighbors";
  route.tag = "nodes";
  route.summary =
      "Who hands floods to a node or observer and who takes them from it, the best established first. "
      "we_hear is how many "
      "it received from the neighbor. Ambiguous neighbors are those of which not even one flood is certain. "
      "observers are the ids of those that showed it, at most 8; empty while the packets are still being "
      "read.";
  ParameterDoc min_score;
  min_score.name = "min_score";
  min_score.description = "Least score, 0 to 1; 0 unless given.";
  min_score.type = ParameterType::kNumber;
  route.parameters = {PathDoc("pubkey", "The public key, 64 hexadecimal digits in any case."),
                      IntegerDoc("min_count", "Least count; 1 unless given.", 0, kMostCount), min_score,
                      FlagDoc("include_ambiguous", "Also those that are ambiguous; false unless given."),
                      LimitDoc(kMaxNeighbors, kMaxNeighbors)};
  route.responses = {{200, "node, neighbors, total and total_observations.", "application/json"},
                     ProblemDoc(404, "No such node.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    const StationName self(view, PublicKeyInPath(request));
    if (!self.IsKnown() || !self.IsShown(context.visibility()))
      throw ProblemError(404, "no node or observer has the key " + self.key().ToHex());
    ListFilter filter;
    filter.min_count = IntegerParameter(request, "min_count", 0, kMostCount).value_or(filter.min_count);
    filter.min_score = NumberParameter(request, "min_score", 0, 1).value_or(filter.min_score);
    filter.include_ambiguous = BooleanParameter(request, "include_ambiguous").value_or(false);
    filter.limit = static_cast<std::size_t>(LimitParameter(request, {kMaxNeighbors, kMaxNeighbors}));
    return TaggedJson(request,
                      BuildNeighbors(*CurrentNeighbors(context), view, context.visibility(), self, filter));
  });
  return route;
}

}  // namespace

void RegisterNeighborRoutes(Router& router, const RouteContext& context) {
  router.Add(GraphRoute(context));
  router.Add(NeighborsRoute(context));
}

}  // namespace heliograph::server
