#include "server/analytics/topology/betweenness.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <random>
#include <utility>

namespace heliograph::server {
namespace {

constexpr std::uint64_t kUnreached = std::numeric_limits<std::uint64_t>::max();
constexpr double kUnitLength = 1000;          // of the strongest edge
constexpr double kLongestLength = 1'000'000;  // of an edge that hardly exists

std::vector<std::uint32_t> LengthsOf(const std::vector<WeightedEdge>& edges) {
  double strongest = 0;
  for (const WeightedEdge& edge : edges) strongest = std::max(strongest, edge.weight);
  std::vector<std::uint32_t> lengths;
  lengths.reserve(edges.size());
  for (const WeightedEdge& edge : edges)
    lengths.push_back(static_cast<std::uint32_t>(
        std::min(std::round(kUnitLength * strongest / edge.weight), kLongestLength)));
  return lengths;
}

/// The vertices from which ways are looked for, ascending.
std::vector<Vertex> Draw(std::size_t size, std::size_t count, std::uint64_t seed) {
  std::vector<Vertex> all(size);
  std::iota(all.begin(), all.end(), 0U);
  if (count >= size) return all;
  std::mt19937_64 draw(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + draw() % (size - i)]);
  all.resize(count);
  std::sort(all.begin(), all.end());
  return all;
}

/// How many best ways there are: a positive number that may be larger than any double, for they double with
/// every fork in a row.
class WayCount {
 public:
  static WayCount One() { return WayCount(1); }
  WayCount() = default;

  WayCount& operator+=(const WayCount& other) {
    if (other.scale_ > scale_) {
      value_ *= other.scale_ == scale_ + 1 ? kStep : 0;
      scale_ = other.scale_;
    }
    if (other.scale_ == scale_) {
      value_ += other.value_;
    } else if (other.scale_ + 1 == scale_) {
      value_ += other.value_ * kStep;
    }
    if (value_ * kStep >= 1) {
      value_ *= kStep;
      ++scale_;
    }
    return *this;
  }
  /// Its share of a count that is no smaller.
  double ShareOf(const WayCount& all) const {
    if (all.scale_ == scale_) return value_ / all.value_;
    return all.scale_ == scale_ + 1 ? value_ / all.value_ * kStep : 0;
  }

 private:
  static constexpr double kStep = 0x1p-500;  // two steps more are as good as nothing
  explicit WayCount(double value) : value_(value) {}

  double value_ = 0;         ///< below 1 / kStep
  std::uint32_t scale_ = 0;  ///< the count is value_ divided by this power of kStep
};

/// The best ways from one vertex to all others, and what each vertex and edge has of them.
class Ways {
 public:
  explicit Ways(const ItemGraph& graph)
      : graph_(graph),
        lengths_(LengthsOf(graph.edges())),
        distance_(graph.size()),
        count_(graph.size()),
        share_(graph.size()),
        edge_share_(graph.edges().size()) {}

  void From(Vertex source) {
    Search(source);
    Share(source);
  }
  /// By vertex: over how many pairs with the source, in parts of pairs.
  const std::vector<double>& share() const { return share_; }
  const std::vector<double>& edge_share() const { return edge_share_; }

 private:
  void Search(Vertex source) {
    std::fill(distance_.begin(), distance_.end(), kUnreached);
    std::fill(count_.begin(), count_.end(), WayCount());
    order_.clear();
    distance_[source] = 0;
    count_[source] = WayCount::One();
    open_.emplace(0, source);
    while (!open_.empty()) {
      const auto [distance, vertex] = open_.top();
      open_.pop();
      if (distance != distance_[vertex]) continue;
      order_.push_back(vertex);
      for (const auto& [other, edge] : graph_.NeighborsOf(vertex)) {
        const std::uint64_t reached = distance + lengths_[edge];
        if (reached > distance_[other]) continue;
        if (reached < distance_[other]) {
          distance_[other] = reached;
          count_[other] = WayCount();
          open_.emplace(reached, other);
        }
        count_[other] += count_[vertex];
      }
    }
  }

  void Share(Vertex source) {
    std::fill(share_.begin(), share_.end(), 0);
    std::fill(edge_share_.begin(), edge_share_.end(), 0);
    for (auto vertex = order_.rbegin(); vertex != order_.rend(); ++vertex) {
      for (const auto& [other, edge] : graph_.NeighborsOf(*vertex)) {
        if (distance_[other] == kUnreached || distance_[other] + lengths_[edge] != distance_[*vertex])
          continue;
        const double share = count_[other].ShareOf(count_[*vertex]) * (1 + share_[*vertex]);
        share_[other] += share;
        edge_share_[edge] += share;
      }
    }
    share_[source] = 0;
  }

  const ItemGraph& graph_;
  const std::vector<std::uint32_t> lengths_;
  std::vector<std::uint64_t> distance_;
  std::vector<WayCount> count_;  ///< of the best ways from the source
  std::vector<double> share_, edge_share_;
  std::vector<Vertex> order_;  ///< by distance
  using Entry = std::pair<std::uint64_t, Vertex>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open_;
};

/// Sums over the sources, and from them the figures for all vertices.
class Sums {
 public:
  explicit Sums(std::size_t size) : sum_(size), squares_(size) {}

  void Add(const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum_[i] += values[i];
      squares_[i] += values[i] * values[i];
    }
  }
  /// `scale` turns a sum over all sources into the share of all pairs.
  std::vector<double> Totals(std::size_t taken, std::size_t all, double scale) const {
    std::vector<double> totals(sum_.size());
    const double factor = scale * static_cast<double>(all) / static_cast<double>(taken);
    for (std::size_t i = 0; i < totals.size(); ++i) totals[i] = sum_[i] * factor;
    return totals;
  }
  /// The largest standard error of these totals, as of a sample without repetition.
  double LargestError(std::size_t taken, std::size_t all, double scale) const {
    const auto k = static_cast<double>(taken), n = static_cast<double>(all);
    if (taken < 2 || taken >= all) return 0;
    double largest = 0;
    for (std::size_t i = 0; i < sum_.size(); ++i)
      largest = std::max(largest, (squares_[i] - sum_[i] * sum_[i] / k) / (k - 1));
    return scale * n * std::sqrt(largest / k * (1 - k / n));
  }

 private:
  std::vector<double> sum_, squares_;
};

}  // namespace

std::optional<Betweenness> MeasureBetweenness(const ItemGraph& graph, std::uint64_t effort,
                                              std::uint64_t seed, std::stop_token stop) {
  const std::size_t n = graph.size();
  const std::uint64_t one = n + 2 * graph.edges().size();
  const std::size_t affordable = one == 0 ? 0 : static_cast<std::size_t>(effort / one);
  const std::vector<Vertex> sources = Draw(n, std::max(affordable, kLeastSources), seed);
  Ways ways(graph);
  Sums vertices(n), edges(graph.edges().size());
  for (const Vertex source : sources) {
    if (stop.stop_requested()) return std::nullopt;
    ways.From(source);
    vertices.Add(ways.share());
    edges.Add(ways.edge_share());
  }
  Betweenness found;
  found.sources = sources.size();
  found.exact = sources.size() == n;
  // Each pair is met from both of its ends.
  const auto count = static_cast<double>(n);
  const double of_others = n > 2 ? 1 / ((count - 1) * (count - 2)) : 0;
  const double of_all = n > 1 ? 1 / (count * (count - 1)) : 0;
  if (!sources.empty()) {
    found.of_vertex = vertices.Totals(sources.size(), n, of_others);
    found.of_edge = edges.Totals(sources.size(), n, of_all);
  }
  found.error = 2 * std::max(vertices.LargestError(sources.size(), n, of_others),
                             edges.LargestError(sources.size(), n, of_all));
  return found;
}

}  // namespace heliograph::server
