#include "server/analytics/clusters/grouping.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

namespace heliograph::server {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

double Pairs(double n) {
  return n * (n - 1) / 2;
}

template <typename Counts>
double PairsWithin(const Counts& counts) {
  double sum = 0;
  for (const auto& [group, count] : counts) sum += Pairs(static_cast<double>(count));
  return sum;
}

}  // namespace

Grouping Singletons(std::size_t size) {
  Grouping labels(size);
  std::iota(labels.begin(), labels.end(), 0U);
  return labels;
}

Grouping SplitIntoConnected(const ItemGraph& graph, const Grouping& labels) {
  Grouping parts(graph.size(), kNone);
  std::vector<Vertex> open;
  std::uint32_t part = 0;
  for (Vertex first = 0; first < graph.size(); ++first) {
    if (parts[first] != kNone) continue;
    parts[first] = part;
    open.assign(1, first);
    while (!open.empty()) {
      const Vertex vertex = open.back();
      open.pop_back();
      for (const auto& [other, edge] : graph.NeighborsOf(vertex)) {
        if (parts[other] != kNone || labels[other] != labels[vertex]) continue;
        parts[other] = part;
        open.push_back(other);
      }
    }
    ++part;
  }
  return parts;
}

bool AreConnected(const ItemGraph& graph, const Grouping& labels) {
  Grouping groups = labels;
  std::sort(groups.begin(), groups.end());
  const auto distinct = std::unique(groups.begin(), groups.end()) - groups.begin();
  return CountOf(SplitIntoConnected(graph, labels)) == distinct;
}

Grouping ComponentsOf(const ItemGraph& graph) {
  return SplitIntoConnected(graph, Grouping(graph.size(), 0));
}

std::uint32_t CountOf(const Grouping& labels) {
  return labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
}

double AdjustedRandIndex(const Grouping& a, const Grouping& b) {
  std::unordered_map<std::uint64_t, std::uint64_t> both;
  std::unordered_map<std::uint32_t, std::uint64_t> in_a, in_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++both[static_cast<std::uint64_t>(a[i]) << 32 | b[i]];
    ++in_a[a[i]];
    ++in_b[b[i]];
  }
  const double together = PairsWithin(both), of_a = PairsWithin(in_a), of_b = PairsWithin(in_b);
  const double all = Pairs(static_cast<double>(a.size()));
  const double expected = all > 0 ? of_a * of_b / all : 0;
  const double most = (of_a + of_b) / 2;
  return most == expected ? 1 : (together - expected) / (most - expected);
}

}  // namespace heliograph::server
