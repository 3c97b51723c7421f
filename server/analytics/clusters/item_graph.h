#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/crypto.h"

namespace heliograph::server {

/// A vertex of an ItemGraph: the place of its key in the sorted list of keys.
using Vertex = std::uint32_t;

/// An undirected edge between two places in a list of keys.
struct WeightedEdge {
  Vertex a = 0;
  Vertex b = 0;
  double weight = 0;

  bool operator==(const WeightedEdge&) const = default;
};

/// The items of a collection and how strongly they belong together, in the one form that every order of the
/// same input leads to: keys sorted, each edge once with a < b, edges sorted. Immutable.
class ItemGraph {
 public:
  struct Neighbor {
    Vertex vertex = 0;
    std::uint32_t edge = 0;  ///< into edges()
  };

  ItemGraph() : ItemGraph({}, {}) {}

  /// `edges` speak of places in `keys` as given. Edges between the same two items are added up, an edge from
  /// an item to itself is left out. Refused, with a sentence that says which: a key that stands there twice,
  /// an edge to no key, a weight that is not a positive finite number, more vertices or edges than 32 bits
  /// count.
  static tl::expected<ItemGraph, std::string> Build(std::vector<std::string> keys,
                                                    std::vector<WeightedEdge> edges);

  /// The same items with other edges between them. REQUIRED: `edges` are sorted, oriented, distinct and
  /// positive, as edges() is.
  ItemGraph WithEdges(std::vector<WeightedEdge> edges) const {
    return {keys_, std::move(edges), sizes_, inner_weights_};
  }

  /// Each class of items as one vertex, under the key of its first item: it is as large as its items are
  /// many, and the edges inside it count for its strength. REQUIRED: a class for each vertex, numbered from 0
  /// by the smallest vertices.
  ItemGraph Contracted(const std::vector<std::uint32_t>& classes) const;

  std::size_t size() const { return keys_.size(); }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<WeightedEdge>& edges() const { return edges_; }
  /// Ascending by vertex.
  std::span<const Neighbor> NeighborsOf(Vertex vertex) const {
    return std::span(neighbors_).subspan(offsets_[vertex], offsets_[vertex + 1] - offsets_[vertex]);
  }
  /// How many items a vertex stands for; 1 but for contracted ones.
  double SizeOf(Vertex vertex) const { return sizes_[vertex]; }
  const std::vector<double>& sizes() const { return sizes_; }
  /// The sum of the weights at a vertex; what is inside a contracted one counts for both ends.
  double StrengthOf(Vertex vertex) const { return strengths_[vertex]; }
  const std::vector<double>& strengths() const { return strengths_; }
  /// The sum of all weights, each edge once.
  double total_weight() const { return total_weight_; }

  /// SHA-256 over keys and edges: equal for equal graphs, whatever order they were built from.
  Sha256Digest Digest() const;

 private:
  ItemGraph(std::vector<std::string> keys, std::vector<WeightedEdge> edges);
  ItemGraph(std::vector<std::string> keys, std::vector<WeightedEdge> edges, std::vector<double> sizes,
            std::vector<double> inner_weights);

  std::vector<std::string> keys_;
  std::vector<WeightedEdge> edges_;
  std::vector<std::size_t> offsets_;
  std::vector<Neighbor> neighbors_;
  std::vector<double> sizes_, inner_weights_, strengths_;
  double total_weight_ = 0;
};

}  // namespace heliograph::server
