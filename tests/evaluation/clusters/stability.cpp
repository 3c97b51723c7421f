#include "tests/evaluation/clusters/stability.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/config.h"
#include "tests/evaluation/clusters/static_graphs.h"
#include "tests/evaluation/clusters/way.h"

namespace heliograph::evaluation {
namespace {

constexpr double kMixing = 0.3;
constexpr int kWorldRuns = 6;  // after which a planted world has redrawn its edges a few times
constexpr double kAfterOnePercent = 0.95, kAfterFivePercent = 0.90;

using Labels = std::map<std::string, std::uint32_t>;

/// The same keys and edges, in another order.
server::ItemGraph Reordered(const server::ItemGraph& graph, std::mt19937_64& random) {
  std::vector<server::Vertex> order(graph.size()), place(graph.size());
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<std::string> keys;
  for (const server::Vertex vertex : order) {
    place[vertex] = static_cast<server::Vertex>(keys.size());
    keys.push_back(graph.keys()[vertex]);
  }
  std::vector<server::WeightedEdge> edges = graph.edges();
  for (server::WeightedEdge& edge : edges) edge = {place[edge.b], place[edge.a], edge.weight};
  std::shuffle(edges.begin(), edges.end(), random);
  return server::ItemGraph::Build(std::move(keys), std::move(edges)).value();
}

server::ItemGraph WithoutShare(const server::ItemGraph& graph, double share, std::mt19937_64& random) {
  std::vector<server::WeightedEdge> kept = graph.edges();
  std::shuffle(kept.begin(), kept.end(), random);
  kept.resize(kept.size() - static_cast<std::size_t>(share * static_cast<double>(kept.size())));
  return server::ItemGraph::Build(graph.keys(), std::move(kept)).value();
}

server::Partition Divide(const server::ItemGraph& graph, const server::FormerGroups& former) {
  server::PartitionParameters parameters;
  parameters.resolution = ClusterConfig().resolution;
  auto partition = server::DivideIntoClusters(graph, parameters, former, {});
  if (!partition) throw std::runtime_error(partition.error().text);
  return std::move(*partition);
}

server::FormerGroups GroupsOf(const server::ItemGraph& graph, const server::Partition& partition) {
  server::FormerGroups groups;
  for (const server::Cluster& cluster : partition.clusters) {
    auto& keys = groups.emplace_back();
    for (const server::ClusterMember& member : cluster.members) keys.push_back(graph.keys()[member.vertex]);
  }
  return groups;
}

/// Labels of `keys`, in their order. One that is in no group is a group of its own.
server::Grouping LabelsOf(const std::vector<std::string>& keys, const server::FormerGroups& groups) {
  Labels labels;
  for (std::uint32_t i = 0; i < groups.size(); ++i)
    for (const std::string& key : groups[i]) labels[key] = i;
  auto alone = static_cast<std::uint32_t>(groups.size());
  server::Grouping grouping;
  for (const std::string& key : keys) {
    const auto found = labels.find(key);
    grouping.push_back(found == labels.end() ? alone++ : found->second);
  }
  return grouping;
}

/// What is left of the partitions of some graphs, as means of adjusted Rand indices.
struct Stability {
  int graphs = 0, same_again = 0, same_reordered = 0;
  double renamed = 0;             ///< under other names, which lead to other random numbers
  double warm_1 = 0, warm_5 = 0;  ///< without 1 % and 5 % of the edges, from the former groups
  double cold_1 = 0, cold_5 = 0;  ///< from nothing
};

Stability Measure(const std::vector<Moment>& moments, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Stability sum;
  for (const Moment& moment : moments) {
    const server::ItemGraph& graph = moment.graph;
    const server::Partition before = Divide(graph, {});
    const server::FormerGroups groups = GroupsOf(graph, before);
    const server::Grouping labels = LabelsOf(graph.keys(), groups);
    // `keys` are what the items are called now.
    const auto similarity = [&](const server::ItemGraph& changed, const std::vector<std::string>& keys,
                                const server::FormerGroups& former) {
      const server::FormerGroups after = GroupsOf(changed, Divide(changed, former));
      return server::AdjustedRandIndex(labels, LabelsOf(keys, after));
    };
    ++sum.graphs;
    sum.same_again += Divide(graph, {}) == before ? 1 : 0;
    sum.same_reordered += Divide(Reordered(graph, random), {}) == before ? 1 : 0;
    std::vector<std::string> names = graph.keys();
    std::shuffle(names.begin(), names.end(), random);
    sum.renamed += similarity(server::ItemGraph::Build(names, graph.edges()).value(), names, {});
    const auto without_1 = WithoutShare(graph, 0.01, random), without_5 = WithoutShare(graph, 0.05, random);
    sum.warm_1 += similarity(without_1, graph.keys(), groups);
    sum.warm_5 += similarity(without_5, graph.keys(), groups);
    sum.cold_1 += similarity(without_1, graph.keys(), {});
    sum.cold_5 += similarity(without_5, graph.keys(), {});
  }
  for (double* figure : {&sum.renamed, &sum.warm_1, &sum.warm_5, &sum.cold_1, &sum.cold_5})
    *figure /= std::max(1, sum.graphs);
  return sum;
}

std::vector<Moment> MomentsOf(const std::string& kind, int graphs, int first_seed) {
  std::vector<Moment> moments;
  for (int seed = first_seed; seed < first_seed + graphs; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    if (kind == "planted world") {
      moments.push_back(std::move(PlantedHistory(number, kWorldRuns).moments.back()));
    } else {
      const auto model = kind == NameOf(StaticModel::kLfr) ? StaticModel::kLfr : StaticModel::kBlock;
      moments.push_back(DrawStaticGraph(model, kMixing, number));
    }
  }
  return moments;
}

}  // namespace

bool EvaluateStability(int graphs, int first_seed, nlohmann::json& report) {
  bool met = true;
  std::printf("%d graphs of each kind, mixing %.1f; ARI to the partition before, means\n\n", graphs, kMixing);
  std::printf(
      "| graph | same again | same in another order | other names | 1 %% of edges lost | 5 %% lost | 1 %%, "
      "cold | 5 %%, cold | gate |\n|---|---:|---:|---:|---:|---:|---:|---:|---|\n");
  for (const std::string kind : {NameOf(StaticModel::kLfr), NameOf(StaticModel::kBlock), "planted world"}) {
    const Stability got =
        Measure(MomentsOf(kind, graphs, first_seed), static_cast<std::uint64_t>(first_seed));
    const bool holds = got.same_again == got.graphs && got.same_reordered == got.graphs &&
                       got.warm_1 >= kAfterOnePercent && got.warm_5 >= kAfterFivePercent;
    met = met && holds;
    std::printf("| %s | %d of %d | %d of %d | %.3f | %.3f | %.3f | %.3f | %.3f | %s |\n", kind.c_str(),
                got.same_again, got.graphs, got.same_reordered, got.graphs, got.renamed, got.warm_1,
                got.warm_5, got.cold_1, got.cold_5, holds ? "met" : "MISSED");
    report["stability"][kind] = {
        {"graphs", got.graphs},      {"same_again", got.same_again}, {"same_reordered", got.same_reordered},
        {"renamed", got.renamed},    {"warm_loss_1", got.warm_1},    {"warm_loss_5", got.warm_5},
        {"cold_loss_1", got.cold_1}, {"cold_loss_5", got.cold_5},    {"met", holds}};
  }
  std::printf("\nwanted: all the same, and at least %.2f after 1 %% and %.2f after 5 %%: %s\n\n",
              kAfterOnePercent, kAfterFivePercent, met ? "met" : "MISSED");
  return met;
}

}  // namespace heliograph::evaluation
