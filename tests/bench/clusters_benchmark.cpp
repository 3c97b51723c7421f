// What clusters and the measures of a graph cost, on graphs with planted groups.
//
//   clusters_benchmark [Google Benchmark's flags]
//
// The name of each benchmark ends in the numbers of items and of edges.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/analytics/clusters/item_graph.h"
#include "server/analytics/clusters/leiden.h"
#include "server/analytics/clusters/partition.h"
#include "server/analytics/topology/critical.h"

namespace heliograph::server {
namespace {

constexpr std::uint64_t kGroupSize = 40;

struct Input {
  std::vector<std::string> keys;
  std::vector<WeightedEdge> edges;
};

/// Groups of kGroupSize with three of four edges inside them.
Input Planted(std::int64_t items, std::int64_t edges) {
  Input input;
  std::mt19937_64 draw(1);
  const auto n = static_cast<std::uint64_t>(items);
  for (std::uint64_t i = 0; i < n; ++i) input.keys.push_back(std::to_string(draw()) + std::to_string(draw()));
  while (input.edges.size() < static_cast<std::size_t>(edges)) {
    const std::uint64_t a = draw() % n;
    const std::uint64_t near = a / kGroupSize * kGroupSize + draw() % kGroupSize;
    const std::uint64_t b = draw() % 4 == 0 ? draw() % n : near % n;
    const double weight = 0.05 + static_cast<double>(draw() % 1000) / 1000;
    if (a != b) input.edges.push_back({static_cast<Vertex>(a), static_cast<Vertex>(b), weight});
  }
  return input;
}

ItemGraph Built(const benchmark::State& state) {
  Input input = Planted(state.range(0), state.range(1));
  return ItemGraph::Build(std::move(input.keys), std::move(input.edges)).value();
}

void OnePassWithLoading(benchmark::State& state) {
  const Input input = Planted(state.range(0), state.range(1));
  std::uint32_t groups = 0;
  for ([[maybe_unused]] const auto iteration : state) {
    const auto graph = ItemGraph::Build(input.keys, input.edges);
    if (!graph) throw std::runtime_error(graph.error());
    groups = CountOf(LeidenGraph(*graph).Run({.seed = SeedOf(graph->Digest(), 0)}));
  }
  state.counters["groups"] = groups;
}

void OnePass(benchmark::State& state) {
  const ItemGraph graph = Built(state);
  const LeidenGraph leiden(graph);
  for ([[maybe_unused]] const auto iteration : state) benchmark::DoNotOptimize(leiden.Run({.seed = 1}));
}

void Consensus(benchmark::State& state) {
  const ItemGraph graph = Built(state);
  std::size_t clusters = 0;
  for ([[maybe_unused]] const auto iteration : state)
    clusters = DivideIntoClusters(graph, {.runs = 8}, {}, {}).value().clusters.size();
  state.counters["clusters"] = static_cast<double>(clusters);
}

void Critical(benchmark::State& state) {
  const ItemGraph graph = Built(state);
  double error = 0;
  for ([[maybe_unused]] const auto iteration : state)
    error = FindCriticalParts(graph, kBetweennessEffort, {}).value().betweenness.error;
  state.counters["error"] = error;
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({3'000, 20'000})->Args({100'000, 1'000'000})->Unit(benchmark::kMillisecond);
}

BENCHMARK(OnePass)->Apply(Sizes);
BENCHMARK(OnePassWithLoading)->Apply(Sizes);
BENCHMARK(Consensus)->Apply(Sizes);
BENCHMARK(Critical)->Apply(Sizes);

}  // namespace
}  // namespace heliograph::server

BENCHMARK_MAIN();
