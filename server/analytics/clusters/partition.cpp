#include "server/analytics/clusters/partition.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace heliograph::server {
namespace {

constexpr int kMostRuns = 255;
constexpr int kMostIterations = 100;

std::optional<std::string> FaultOf(const PartitionParameters& parameters) {
  if (!(parameters.resolution > 0) || !std::isfinite(parameters.resolution))
    return "the resolution must be a positive number, not " + std::to_string(parameters.resolution);
  if (parameters.runs < 1 || parameters.runs > kMostRuns)
    return "the number of runs must be 1 to " + std::to_string(kMostRuns) + ", not " +
           std::to_string(parameters.runs);
  if (parameters.iterations < 1 || parameters.iterations > kMostIterations)
    return "the number of iterations must be 1 to " + std::to_string(kMostIterations) + ", not " +
           std::to_string(parameters.iterations);
  return std::nullopt;
}

/// Where the former groups place the vertices, a number of the graph's size or more for those that begin
/// alone.
Grouping StartOf(const ItemGraph& graph, const FormerGroups& former) {
  std::unordered_map<std::string_view, Vertex> places;
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex) places.emplace(graph.keys()[vertex], vertex);
  // The name of a group is its smallest vertex, so that the order in which groups are given does not matter.
  Grouping labels = Singletons(graph.size());
  std::vector<std::uint8_t> named(graph.size());
  for (const std::vector<std::string>& group : former) {
    std::vector<Vertex> members;
    for (const std::string& key : group) {
      if (const auto place = places.find(key); place != places.end()) members.push_back(place->second);
    }
    if (members.empty()) continue;
    const Vertex name = *std::min_element(members.begin(), members.end());
    for (const Vertex member : members) {
      labels[member] = name;
      named[member] = static_cast<std::uint8_t>(std::min(named[member] + 1, 2));
    }
  }
  // One that is claimed twice begins alone, under a number that no group has.
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex) {
    if (named[vertex] > 1) labels[vertex] = static_cast<std::uint32_t>(graph.size()) + vertex;
  }
  return labels;
}

/// Where the former groups place the classes: each where most of its vertices were; of several, where the
/// first of these is.
Grouping StartOf(const ItemGraph& graph, const FormerGroups& former, const Grouping& classes) {
  const Grouping vertices = StartOf(graph, former);
  std::map<std::uint32_t, std::map<std::uint32_t, std::size_t>> votes;
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex) ++votes[classes[vertex]][vertices[vertex]];
  Grouping labels(votes.size());
  for (const auto& [label, counts] : votes)
    labels[label] = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->first;
  return labels;
}

struct Agreement {
  Grouping labels;
  std::vector<double> of_edge;  ///< the share of the passes in which the ends of the edge were together
};

/// The edges that at least half of the passes keep inside a group, weighed by how many do.
std::vector<WeightedEdge> Agreed(const ItemGraph& graph, const std::vector<double>& agreement) {
  std::vector<WeightedEdge> kept;
  for (std::size_t i = 0; i < graph.edges().size(); ++i) {
    WeightedEdge edge = graph.edges()[i];
    if (agreement[i] < 0.5) continue;
    edge.weight *= agreement[i];
    kept.push_back(edge);
  }
  return kept;
}

class Passes {
 public:
  Passes(const ItemGraph& graph, const PartitionParameters& parameters, const Sha256Digest& digest,
         std::stop_token stop)
      : graph_(graph), parameters_(parameters), stop_(std::move(stop)), digest_(digest) {}

  /// Nothing when it was stopped.
  std::optional<Agreement> Run(const Grouping& start) {
    const LeidenGraph leiden(graph_);
    std::vector<std::uint32_t> together(graph_.edges().size());
    Grouping best;
    double best_quality = -std::numeric_limits<double>::infinity();
    for (int run = 0; run < parameters_.runs; ++run) {
      if (stop_.stop_requested()) return std::nullopt;
      Grouping labels = leiden.Run(PassOf(run, start));
      for (std::size_t i = 0; i < together.size(); ++i) {
        const WeightedEdge& edge = graph_.edges()[i];
        together[i] += labels[edge.a] == labels[edge.b] ? 1 : 0;
      }
      const double quality = QualityOf(graph_, labels, parameters_.objective, parameters_.resolution);
      if (quality <= best_quality) continue;
      best_quality = quality;
      best = std::move(labels);
    }
    Agreement agreement{std::move(best), std::vector<double>(together.size())};
    for (std::size_t i = 0; i < together.size(); ++i)
      agreement.of_edge[i] = static_cast<double>(together[i]) / parameters_.runs;
    if (parameters_.runs == 1) return agreement;
    if (stop_.stop_requested()) return std::nullopt;
    const ItemGraph agreed = graph_.WithEdges(Agreed(graph_, agreement.of_edge));
    agreement.labels = LeidenGraph(agreed).Run(PassOf(parameters_.runs, agreement.labels));
    return agreement;
  }

 private:
  LeidenGraph::Pass PassOf(int run, const Grouping& start) const {
    return {parameters_.objective, parameters_.resolution, SeedOf(digest_, static_cast<std::uint64_t>(run)),
            parameters_.iterations, &start};
  }

  const ItemGraph& graph_;
  const PartitionParameters& parameters_;
  const std::stop_token stop_;
  const Sha256Digest& digest_;
};

ClusterMember MemberOf(const ItemGraph& graph, const Agreement& agreement, Vertex vertex) {
  double inside = 0, agreed = 0;
  for (const auto& [other, edge] : graph.NeighborsOf(vertex)) {
    if (agreement.labels[other] != agreement.labels[vertex]) continue;
    inside += graph.edges()[edge].weight;
    agreed += graph.edges()[edge].weight * agreement.of_edge[edge];
  }
  const double strength = graph.StrengthOf(vertex);
  return {vertex, strength > 0 ? std::min(inside / strength, 1.0) : 0, inside > 0 ? agreed / inside : 1};
}

/// Conductance and weights, from the strengths of the members. REQUIRED: the members are set.
void Weigh(const ItemGraph& graph, Cluster& cluster) {
  double volume = 0, inside = 0;
  for (const ClusterMember& member : cluster.members) {
    volume += graph.StrengthOf(member.vertex);
    inside += member.strength * graph.StrengthOf(member.vertex);
  }
  cluster.internal_weight = inside / 2;
  cluster.cut_weight = std::max(volume - inside, 0.0);
  const double smaller = std::min(volume, 2 * graph.total_weight() - volume);
  cluster.conductance = smaller > 0 ? std::min(cluster.cut_weight / smaller, 1.0) : 0;
}

Partition Describe(const ItemGraph& graph, const PartitionParameters& parameters,
                   const BoundConstraints& bound, const Agreement& agreement) {
  Partition partition;
  partition.parameters = parameters;
  std::vector<std::vector<Vertex>> groups(CountOf(agreement.labels));
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex) groups[agreement.labels[vertex]].push_back(vertex);
  // Groups are numbered by their smallest vertices, so a stable sort by size leaves equal ones in that order.
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  double members = 0;
  for (const std::vector<Vertex>& group : groups) {
    // An item without edges belongs to nobody, whatever the least size is.
    const bool is_linked =
        std::any_of(group.begin(), group.end(), [&](Vertex vertex) { return graph.StrengthOf(vertex) > 0; });
    const bool is_placed =
        std::any_of(group.begin(), group.end(), [&](Vertex vertex) { return bound.IsPlaced(vertex); });
    if (!is_linked || (group.size() < parameters.min_size && !is_placed)) {
      partition.unclustered.insert(partition.unclustered.end(), group.begin(), group.end());
      continue;
    }
    Cluster& cluster = partition.clusters.emplace_back();
    for (const Vertex vertex : group) cluster.members.push_back(MemberOf(graph, agreement, vertex));
    Weigh(graph, cluster);
    partition.mean_conductance += cluster.conductance * static_cast<double>(group.size());
    members += static_cast<double>(group.size());
  }
  std::sort(partition.unclustered.begin(), partition.unclustered.end());
  if (members > 0) partition.mean_conductance /= members;
  partition.quality = QualityOf(graph, agreement.labels, parameters.objective, parameters.resolution);
  return partition;
}

/// What holds of classes, for their vertices.
Agreement Lift(const ItemGraph& graph, const ItemGraph& contracted, const Grouping& classes,
               const Agreement& agreement) {
  Agreement lifted;
  // Groups are numbered by their smallest classes, and so by their smallest vertices.
  for (const std::uint32_t label : classes) lifted.labels.push_back(agreement.labels[label]);
  for (const WeightedEdge& edge : graph.edges()) {
    const auto [a, b] = std::minmax(classes[edge.a], classes[edge.b]);
    double share = 1;
    if (a != b) {
      const auto neighbors = contracted.NeighborsOf(a);
      const auto found = std::lower_bound(
          neighbors.begin(), neighbors.end(), b,
          [](const ItemGraph::Neighbor& neighbor, Vertex vertex) { return neighbor.vertex < vertex; });
      share = agreement.of_edge[found->edge];
    }
    lifted.of_edge.push_back(share);
  }
  return lifted;
}

}  // namespace

std::uint64_t SeedOf(const Sha256Digest& digest, std::uint64_t pass) {
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed = seed << 8 | digest[i];
  // SplitMix64's mixing: neighboring passes get unrelated seeds.
  seed += (pass + 1) * 0x9e3779b97f4a7c15ULL;
  seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ULL;
  seed = (seed ^ seed >> 27) * 0x94d049bb133111ebULL;
  return seed ^ seed >> 31;
}

double QualityOf(const ItemGraph& graph, const Grouping& labels, Objective objective, double resolution) {
  const double total = graph.total_weight();
  if (total <= 0) return 0;
  double inside = 0;
  for (const WeightedEdge& edge : graph.edges()) {
    if (labels[edge.a] == labels[edge.b]) inside += edge.weight;
  }
  std::map<std::uint32_t, double> sizes;
  const bool modularity = objective == Objective::kModularity;
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex)
    sizes[labels[vertex]] += modularity ? graph.StrengthOf(vertex) : graph.SizeOf(vertex);
  double expected = 0;
  for (const auto& [label, size] : sizes)
    expected += modularity ? size * size / (4 * total) : size * (size - 1) / 2;
  return (inside - resolution * expected) / total;
}

tl::expected<Partition, PartitionError> DivideIntoClusters(const ItemGraph& graph,
                                                           const PartitionParameters& parameters,
                                                           const FormerGroups& former, std::stop_token stop) {
  return DivideUnder({}, graph, parameters, former, std::move(stop));
}

tl::expected<Partition, PartitionError> DivideUnder(const PartitionConstraints& constraints,
                                                    const ItemGraph& graph,
                                                    const PartitionParameters& parameters,
                                                    const FormerGroups& former, std::stop_token stop) {
  using Fault = PartitionError::Fault;
  if (const auto fault = FaultOf(parameters))
    return tl::unexpected(PartitionError{Fault::kParameters, *fault});
  try {
    const BoundConstraints bound(graph, constraints);
    const Sha256Digest digest = bound.Digest(graph.Digest());
    std::optional<Agreement> agreement;
    if (bound.empty()) {
      agreement = Passes(graph, parameters, digest, std::move(stop)).Run(StartOf(graph, former));
    } else {
      const ItemGraph contracted = graph.Contracted(bound.classes());
      agreement = Passes(contracted, parameters, digest, std::move(stop))
                      .Run(StartOf(graph, former, bound.classes()));
      if (agreement) {
        agreement->labels = bound.Separate(contracted, std::move(agreement->labels), parameters.min_size);
        agreement = Lift(graph, contracted, bound.classes(), *agreement);
      }
    }
    if (!agreement) return tl::unexpected(PartitionError{Fault::kCancelled, "stopped before it was done"});
    Partition partition = Describe(graph, parameters, bound, *agreement);
    partition.input_digest = digest;
    return partition;
  } catch (const std::exception& error) {
    return tl::unexpected(PartitionError{Fault::kFailed, error.what()});
  }
}

}  // namespace heliograph::server
