#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/crypto.h"
#include "server/analytics/clusters/grouping.h"
#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// What people decided about who is together, by keys. Keys that the graph does not know are passed over.
struct PartitionConstraints {
  /// Those of one list are in one cluster, and that is a cluster however small it is. Lists that share a key
  /// are one.
  std::vector<std::vector<std::string>> together;

  struct Apart {
    std::string cluster;               ///< its name, of which only the digest takes notice
    std::vector<std::string> members;  ///< are not in the cluster that most of `body` are in
    std::vector<std::string> body;
  };
  std::vector<Apart> apart;

  bool empty() const { return together.empty() && apart.empty(); }
  bool operator==(const PartitionConstraints&) const = default;
};
bool operator==(const PartitionConstraints::Apart& a, const PartitionConstraints::Apart& b);

/// The constraints as a graph has them, in the one form that every order of the same constraints leads to.
class BoundConstraints {
 public:
  BoundConstraints(const ItemGraph& graph, const PartitionConstraints& constraints);

  bool empty() const { return groups_.empty() && apart_.empty(); }
  /// A class for each vertex: those that are together are one, every other vertex is one of its own. Numbered
  /// by their smallest vertices.
  const Grouping& classes() const { return classes_; }
  /// By vertex: people said where it belongs.
  bool IsPlaced(Vertex vertex) const { return placed_[vertex] != 0; }

  /// The digest of a graph with this digest under these constraints; the same one when there are none. The
  /// bodies are left out: they follow from earlier runs, as the former groups do.
  Sha256Digest Digest(const Sha256Digest& of_graph) const;

  /// Takes members out of the clusters that they are kept out of. `classes` is the graph with each class as
  /// one vertex, and `labels` are groups of these; what is said of groups from here on is said of them. A
  /// group is a cluster when it has edges, and `min_size` members or one whom people placed.
  ///
  /// Who is taken out goes to the cluster that it has the most weight of edges to, of those that it is not
  /// kept out of, or stays alone when there is none; what people put together stays a cluster of its own.
  /// What falls apart without it is divided into its connected parts.
  Grouping Separate(const ItemGraph& classes, Grouping labels, std::size_t min_size) const;

 private:
  struct Apart {
    std::string cluster;
    std::vector<Vertex> members, body;  ///< ascending
  };

  std::vector<std::vector<Vertex>> groups_;  ///< of several, or of one; ascending
  std::vector<Apart> apart_;                 ///< by name
  Grouping classes_;
  std::vector<std::uint8_t> placed_;
};

}  // namespace heliograph::server
