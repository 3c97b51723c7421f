#include "server/analytics/clusters/item_graph.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace heliograph::server {
namespace {

constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max() / 2;

void Append(Bytes& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// Adds up what lies between the same two vertices. The order of the sum is that of the weights, so that it
/// does not depend on the order of the input.
void MergeParallel(std::vector<WeightedEdge>& edges) {
  std::sort(edges.begin(), edges.end(), [](const WeightedEdge& x, const WeightedEdge& y) {
    return std::tie(x.a, x.b, x.weight) < std::tie(y.a, y.b, y.weight);
  });
  std::size_t kept = 0;
  for (const WeightedEdge& edge : edges) {
    if (kept > 0 && edges[kept - 1].a == edge.a && edges[kept - 1].b == edge.b) {
      edges[kept - 1].weight += edge.weight;
    } else {
      edges[kept++] = edge;
    }
  }
  edges.resize(kept);
}

}  // namespace

tl::expected<ItemGraph, std::string> ItemGraph::Build(std::vector<std::string> keys,
                                                      std::vector<WeightedEdge> edges) {
  if (keys.size() > kMost || edges.size() > kMost)
    return tl::unexpected("the graph has " + std::to_string(keys.size()) + " items and " +
                          std::to_string(edges.size()) + " edges, more than can be numbered");
  std::vector<Vertex> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](Vertex x, Vertex y) { return keys[x] < keys[y]; });
  std::vector<Vertex> place(keys.size());
  std::vector<std::string> sorted(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = static_cast<Vertex>(i);
    sorted[i] = std::move(keys[order[i]]);
    if (i > 0 && sorted[i] == sorted[i - 1])
      return tl::unexpected("the key " + sorted[i] + " is there twice");
  }
  for (WeightedEdge& edge : edges) {
    if (edge.a >= place.size() || edge.b >= place.size())
      return tl::unexpected("an edge leads to item " + std::to_string(std::max(edge.a, edge.b)) + " of " +
                            std::to_string(place.size()));
    if (!std::isfinite(edge.weight) || edge.weight <= 0)
      return tl::unexpected("the edge between " + sorted[place[edge.a]] + " and " + sorted[place[edge.b]] +
                            " weighs " + std::to_string(edge.weight) + "; weights are positive and finite");
    std::tie(edge.a, edge.b) = std::minmax({place[edge.a], place[edge.b]});
  }
  std::erase_if(edges, [](const WeightedEdge& edge) { return edge.a == edge.b; });
  MergeParallel(edges);
  return ItemGraph(std::move(sorted), std::move(edges));
}

ItemGraph ItemGraph::Contracted(const std::vector<std::uint32_t>& classes) const {
  std::vector<std::string> keys;
  std::vector<double> sizes, inner;
  for (Vertex vertex = 0; vertex < size(); ++vertex) {
    if (classes[vertex] == keys.size()) {
      keys.push_back(keys_[vertex]);
      sizes.push_back(0);
      inner.push_back(0);
    }
    sizes[classes[vertex]] += sizes_[vertex];
    inner[classes[vertex]] += inner_weights_[vertex];
  }
  std::vector<WeightedEdge> edges;
  for (const WeightedEdge& edge : edges_) {
    const auto [a, b] = std::minmax(classes[edge.a], classes[edge.b]);
    if (a == b) {
      inner[a] += edge.weight;
    } else {
      edges.push_back({a, b, edge.weight});
    }
  }
  MergeParallel(edges);
  return {std::move(keys), std::move(edges), std::move(sizes), std::move(inner)};
}

ItemGraph::ItemGraph(std::vector<std::string> keys, std::vector<WeightedEdge> edges)
    : ItemGraph(keys, std::move(edges), std::vector<double>(keys.size(), 1),
                std::vector<double>(keys.size(), 0)) {}

ItemGraph::ItemGraph(std::vector<std::string> keys, std::vector<WeightedEdge> edges,
                     std::vector<double> sizes, std::vector<double> inner_weights)
    : keys_(std::move(keys)),
      edges_(std::move(edges)),
      offsets_(keys_.size() + 1),
      sizes_(std::move(sizes)),
      inner_weights_(std::move(inner_weights)),
      strengths_(keys_.size()) {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    strengths_[i] = 2 * inner_weights_[i];
    total_weight_ += inner_weights_[i];
  }
  for (const WeightedEdge& edge : edges_) {
    ++offsets_[edge.a + 1];
    ++offsets_[edge.b + 1];
    strengths_[edge.a] += edge.weight;
    strengths_[edge.b] += edge.weight;
    total_weight_ += edge.weight;
  }
  std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
  neighbors_.resize(edges_.size() * 2);
  std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
  // Smaller neighbors come first because edges are sorted by their smaller end, the larger ones after them.
  for (std::uint32_t i = 0; i < edges_.size(); ++i) neighbors_[next[edges_[i].b]++] = {edges_[i].a, i};
  for (std::uint32_t i = 0; i < edges_.size(); ++i) neighbors_[next[edges_[i].a]++] = {edges_[i].b, i};
}

Sha256Digest ItemGraph::Digest() const {
  Bytes bytes;
  bytes.reserve(16 + keys_.size() * 72 + edges_.size() * 16);
  Append(bytes, keys_.size());
  for (const std::string& key : keys_) {
    Append(bytes, key.size());
    bytes.insert(bytes.end(), key.begin(), key.end());
  }
  Append(bytes, edges_.size());
  for (const WeightedEdge& edge : edges_) {
    Append(bytes, static_cast<std::uint64_t>(edge.a) << 32 | edge.b);
    Append(bytes, std::bit_cast<std::uint64_t>(edge.weight));
  }
  return Sha256(bytes);
}

}  // namespace heliograph::server
