#include "server/analytics/clusters/resolution.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace heliograph::server {
namespace {

constexpr double kSameStability = 0.01;
/// Copies draw from another row of seeds than passes do.
constexpr std::uint64_t kCopySeeds = 1U << 20;

/// The graph without some of its edges, each left out by a draw of its own.
ItemGraph WithoutSomeEdges(const ItemGraph& graph, double loss, std::uint64_t seed) {
  std::mt19937_64 draw(seed);
  // The distributions of <random> differ between libraries; the engine's numbers do not.
  const auto limit = static_cast<std::uint64_t>(std::ldexp(std::clamp(loss, 0.0, 1.0), 53));
  std::vector<WeightedEdge> kept;
  kept.reserve(graph.edges().size());
  for (const WeightedEdge& edge : graph.edges()) {
    if (draw() >> 11 >= limit) kept.push_back(edge);
  }
  return graph.WithEdges(std::move(kept));
}

/// The clusters as groups, every unclustered item a group of its own.
Grouping LabelsOf(const ItemGraph& graph, const Partition& partition) {
  Grouping labels = Singletons(graph.size());
  for (const Cluster& cluster : partition.clusters) {
    for (const ClusterMember& member : cluster.members)
      labels[member.vertex] = cluster.members.front().vertex;
  }
  return labels;
}

void Summarise(ResolutionTrial& trial, const std::vector<double>& similarities) {
  const auto n = static_cast<double>(similarities.size());
  double sum = 0, squares = 0;
  for (const double value : similarities) sum += value;
  trial.stability = sum / n;
  for (const double value : similarities) squares += (value - trial.stability) * (value - trial.stability);
  trial.standard_error = n > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
}

double Choose(const std::vector<ResolutionTrial>& trials) {
  const bool any_divides = std::any_of(trials.begin(), trials.end(),
                                       [](const ResolutionTrial& trial) { return trial.clusters >= 2; });
  const ResolutionTrial* best = nullptr;
  const auto counts = [&](const ResolutionTrial& trial) { return !any_divides || trial.clusters >= 2; };
  for (const ResolutionTrial& trial : trials) {
    if (counts(trial) && (!best || trial.stability > best->stability)) best = &trial;
  }
  const double least = best->stability - std::max(kSameStability, best->standard_error);
  double chosen = best->resolution;
  for (const ResolutionTrial& trial : trials) {
    if (counts(trial) && trial.stability >= least) chosen = std::max(chosen, trial.resolution);
  }
  return chosen;
}

}  // namespace

tl::expected<ResolutionChoice, PartitionError> ChooseResolution(const ItemGraph& graph,
                                                                const ResolutionSearch& search,
                                                                std::stop_token stop) {
  if (search.grid.empty() || search.replicas < 1)
    return tl::unexpected(PartitionError{PartitionError::Fault::kParameters,
                                         "there must be at least one resolution and one copy to try"});
  ResolutionChoice choice;
  const auto copies = static_cast<std::size_t>(search.replicas);
  const std::size_t all = search.grid.size() * (copies + 1);
  std::size_t done = 0;
  const auto divide = [&](const ItemGraph& divided, double resolution) {
    PartitionParameters parameters = search.parameters;
    parameters.resolution = resolution;
    auto partition = DivideIntoClusters(divided, parameters, {}, stop);
    if (search.progress) search.progress(++done, all);
    return partition;
  };
  const Sha256Digest digest = graph.Digest();
  for (const double resolution : search.grid) {
    const auto whole = divide(graph, resolution);
    if (!whole) return tl::unexpected(whole.error());
    const Grouping labels = LabelsOf(graph, *whole);
    std::vector<double> similarities;
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const ItemGraph perturbed = WithoutSomeEdges(graph, search.loss, SeedOf(digest, kCopySeeds + copy));
      const auto part = divide(perturbed, resolution);
      if (!part) return tl::unexpected(part.error());
      similarities.push_back(AdjustedRandIndex(labels, LabelsOf(perturbed, *part)));
    }
    ResolutionTrial trial{resolution,    0, 0, whole->clusters.size(), whole->unclustered.size(),
                          whole->quality};
    Summarise(trial, similarities);
    choice.trials.push_back(trial);
  }
  choice.resolution = Choose(choice.trials);
  return choice;
}

}  // namespace heliograph::server
