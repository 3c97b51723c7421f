#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace heliograph::server {

/// A node's place in a RelayGraph.
using GraphNode = std::uint32_t;

/// One direction of a radio link.
struct RelayLink {
  GraphNode from = 0;
  GraphNode to = 0;
  double probability = 0;  ///< that `to` receives one packet that `from` sends, 0 to 1
};

/// Who receives whom. Immutable.
class RelayGraph {
 public:
  RelayGraph() = default;
  /// A link that is given twice counts once, with the higher probability; one of a node to itself is left
  /// out. REQUIRED: the ends of all links are below `nodes`.
  RelayGraph(std::size_t nodes, std::vector<RelayLink> links);

  std::size_t node_count() const { return out_begin_.empty() ? 0 : out_begin_.size() - 1; }
  /// Sorted by sender and receiver. A link's place in it is its index.
  const std::vector<RelayLink>& links() const { return links_; }

  /// The indexes of the links from `node` are [first, last).
  struct Range {
    std::uint32_t first = 0, last = 0;
  };
  Range From(GraphNode node) const { return {out_begin_[node], out_begin_[node + 1]}; }
  /// Indexes of the links to `node`.
  std::span<const std::uint32_t> Into(GraphNode node) const {
    return {into_.data() + in_begin_[node], into_.data() + in_begin_[node + 1]};
  }

 private:
  std::vector<RelayLink> links_;
  std::vector<std::uint32_t> out_begin_, in_begin_, into_;
};

}  // namespace heliograph::server
