#include "server/analytics/topology/cuts.h"

#include <algorithm>
#include <limits>

namespace heliograph::server {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// One search over all components. A vertex is numbered when it is met; its low point is the smallest number
/// that its subtree reaches by one edge outside the tree.
class Search {
 public:
  explicit Search(const ItemGraph& graph)
      : graph_(graph),
        number_(graph.size(), kNone),
        low_(graph.size()),
        below_(graph.size(), 1),
        cuts_(graph.size()) {}

  Cuts Run() {
    Cuts found;
    found.components = ComponentsOf(graph_);
    found.component_sizes.resize(CountOf(found.components));
    for (const std::uint32_t component : found.components) ++found.component_sizes[component];
    for (Vertex root = 0; root < graph_.size(); ++root) {
      if (number_[root] == kNone) Visit(root, found.component_sizes[found.components[root]], found.bridges);
    }
    std::sort(found.bridges.begin(), found.bridges.end(),
              [](const BridgeEdge& a, const BridgeEdge& b) { return a.edge < b.edge; });
    for (Vertex vertex = 0; vertex < graph_.size(); ++vertex) {
      const std::size_t others = found.component_sizes[found.components[vertex]] - 1;
      if (const CutVertex cut = Judge(vertex, others); cut.parts >= 2) found.cut_vertices.push_back(cut);
    }
    return found;
  }

 private:
  struct Step {
    Vertex vertex;
    std::uint32_t from;  ///< the edge that led here; kNone for a root
    std::size_t next;    ///< neighbor to look at
  };

  void Visit(Vertex root, std::size_t size, std::vector<BridgeEdge>& bridges) {
    Number(root);
    stack_.assign(1, {root, kNone, 0});
    while (!stack_.empty()) {
      Step& step = stack_.back();
      const auto neighbors = graph_.NeighborsOf(step.vertex);
      if (step.next == neighbors.size()) {
        const Step done = step;
        stack_.pop_back();
        if (!stack_.empty()) Leave(done, stack_.back().vertex, size, bridges);
        continue;
      }
      const auto [other, edge] = neighbors[step.next++];
      if (edge == step.from) continue;
      if (number_[other] != kNone) {
        low_[step.vertex] = std::min(low_[step.vertex], number_[other]);
        continue;
      }
      Number(other);
      stack_.push_back({other, edge, 0});
    }
  }

  void Number(Vertex vertex) { number_[vertex] = low_[vertex] = count_++; }

  void Leave(const Step& child, Vertex parent, std::size_t size, std::vector<BridgeEdge>& bridges) {
    const std::size_t below = below_[child.vertex];
    below_[parent] += below;
    low_[parent] = std::min(low_[parent], low_[child.vertex]);
    if (low_[child.vertex] > number_[parent]) bridges.push_back({child.from, std::min(below, size - below)});
    // Nothing below the child goes past the parent: without the parent that part stands alone.
    if (low_[child.vertex] >= number_[parent]) cuts_[parent].push_back(below);
  }

  /// The parts that remain of a component of so many others when the vertex goes.
  CutVertex Judge(Vertex vertex, std::size_t others) const {
    CutVertex cut{vertex, 0, 0, 0};
    std::size_t rest = others, largest = 0;
    std::uint64_t squares = 0;
    const auto count = [&](std::size_t part) {
      if (part == 0) return;
      ++cut.parts;
      largest = std::max(largest, part);
      squares += static_cast<std::uint64_t>(part) * part;
    };
    for (const std::size_t part : cuts_[vertex]) {
      rest -= part;
      count(part);
    }
    count(rest);
    cut.cut_off = others - largest;
    cut.pairs_lost = (static_cast<std::uint64_t>(others) * others - squares) / 2;
    return cut;
  }

  const ItemGraph& graph_;
  std::vector<std::uint32_t> number_, low_;
  std::vector<std::size_t> below_;              ///< vertices of the subtree
  std::vector<std::vector<std::size_t>> cuts_;  ///< sizes of the subtrees that only this vertex holds
  std::vector<Step> stack_;
  std::uint32_t count_ = 0;
};

}  // namespace

Cuts FindCuts(const ItemGraph& graph) {
  return Search(graph).Run();
}

}  // namespace heliograph::server
