#include "server/analytics/clusters/partition_constraints.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace heliograph::server {
namespace {

using Places = std::unordered_map<std::string_view, Vertex>;

std::vector<Vertex> PlacesOf(const Places& places, const std::vector<std::string>& keys) {
  std::vector<Vertex> vertices;
  for (const std::string& key : keys)
    if (const auto place = places.find(key); place != places.end()) vertices.push_back(place->second);
  std::sort(vertices.begin(), vertices.end());
  vertices.erase(std::unique(vertices.begin(), vertices.end()), vertices.end());
  return vertices;
}

Vertex RootOf(std::vector<Vertex>& parents, Vertex vertex) {
  while (parents[vertex] != vertex) vertex = parents[vertex] = parents[parents[vertex]];
  return vertex;
}

void Append(Bytes& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

void Append(Bytes& bytes, const std::vector<Vertex>& vertices) {
  Append(bytes, vertices.size());
  for (const Vertex vertex : vertices) Append(bytes, vertex);
}

/// One separation: the groups as they become, and what is known of them.
class Separation {
 public:
  struct Rule {
    std::vector<Vertex> members;                       ///< classes that are kept out
    std::vector<std::pair<Vertex, std::size_t>> body;  ///< classes, and how many of the body each has
  };

  Separation(const ItemGraph& graph, Grouping labels, std::vector<Rule> rules,
             std::vector<std::uint8_t> placed, std::size_t min_size)
      : graph_(graph),
        rules_(std::move(rules)),
        placed_(std::move(placed)),
        min_size_(static_cast<double>(min_size)) {
    Renew(labels);
  }

  Grouping Result() {
    Place(TakeOut());
    // Who came may have made another cluster the one that somebody is kept out of.
    TakeOut();
    return labels_;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// The groups by these labels, as far as they hold together, and what follows from them.
  void Renew(const Grouping& labels) {
    labels_ = SplitIntoConnected(graph_, labels);
    const std::uint32_t groups = CountOf(labels_);
    std::vector<double> sizes(groups), strengths(groups);
    is_cluster_.assign(groups, 0);
    for (Vertex vertex = 0; vertex < graph_.size(); ++vertex) {
      sizes[labels_[vertex]] += graph_.SizeOf(vertex);
      strengths[labels_[vertex]] += graph_.StrengthOf(vertex);
      if (placed_[vertex]) is_cluster_[labels_[vertex]] = 1;
    }
    for (std::uint32_t group = 0; group < groups; ++group) {
      if (sizes[group] >= min_size_) is_cluster_[group] = 1;
      if (strengths[group] <= 0) is_cluster_[group] = 0;
    }
    carriers_.clear();
    for (const Rule& rule : rules_) carriers_.push_back(CarrierOf(rule));
  }

  /// The cluster that most of the body are in; of several, the one with the smallest key.
  std::uint32_t CarrierOf(const Rule& rule) const {
    std::map<std::uint32_t, std::size_t> counts;
    for (const auto& [vertex, count] : rule.body)
      if (is_cluster_[labels_[vertex]]) counts[labels_[vertex]] += count;
    std::uint32_t carrier = kNone;
    std::size_t most = 0;
    for (const auto& [label, count] : counts)
      if (count > most) std::tie(carrier, most) = std::pair(label, count);
    return carrier;
  }

  /// Makes alone whoever is where it must not be, each once, until nobody is. Says by vertex who was.
  std::vector<std::uint8_t> TakeOut() {
    std::vector<std::uint8_t> taken(graph_.size());
    for (;;) {
      std::vector<Vertex> found;
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        for (const Vertex member : rules_[i].members)
          if (!taken[member] && labels_[member] == carriers_[i]) found.push_back(member);
      }
      if (found.empty()) return taken;
      Grouping labels = labels_;
      for (const Vertex member : found) {
        taken[member] = 1;
        labels[member] = static_cast<std::uint32_t>(graph_.size()) + member;  // which no group has
      }
      Renew(labels);
    }
  }

  bool IsKeptOut(Vertex vertex, std::uint32_t label) const {
    for (std::size_t i = 0; i < rules_.size(); ++i)
      if (carriers_[i] == label &&
          std::binary_search(rules_[i].members.begin(), rules_[i].members.end(), vertex))
        return true;
    return false;
  }

  /// Each to its next best cluster as these are now, so that none depends on where another went.
  void Place(const std::vector<std::uint8_t>& taken) {
    Grouping labels = labels_;
    for (Vertex vertex = 0; vertex < graph_.size(); ++vertex) {
      if (!taken[vertex] || placed_[vertex]) continue;
      std::map<std::uint32_t, double> weights;
      for (const auto& [other, edge] : graph_.NeighborsOf(vertex)) {
        const std::uint32_t label = labels_[other];
        const bool stays = !taken[other] || placed_[other];
        if (stays && is_cluster_[label] && !IsKeptOut(vertex, label))
          weights[label] += graph_.edges()[edge].weight;
      }
      double most = 0;
      for (const auto& [label, weight] : weights)
        if (weight > most) std::tie(labels[vertex], most) = std::pair(label, weight);
    }
    Renew(labels);
  }

  const ItemGraph& graph_;
  const std::vector<Rule> rules_;
  const std::vector<std::uint8_t> placed_;
  const double min_size_;
  Grouping labels_;
  std::vector<std::uint8_t> is_cluster_;  ///< by label
  std::vector<std::uint32_t> carriers_;   ///< by rule
};

}  // namespace

bool operator==(const PartitionConstraints::Apart& a, const PartitionConstraints::Apart& b) {
  return std::tie(a.cluster, a.members, a.body) == std::tie(b.cluster, b.members, b.body);
}

BoundConstraints::BoundConstraints(const ItemGraph& graph, const PartitionConstraints& constraints)
    : placed_(graph.size()) {
  Places places;
  if (!constraints.empty())
    for (Vertex vertex = 0; vertex < graph.size(); ++vertex) places.emplace(graph.keys()[vertex], vertex);
  std::vector<Vertex> parents(graph.size());
  std::iota(parents.begin(), parents.end(), 0U);
  for (const std::vector<std::string>& keys : constraints.together) {
    const std::vector<Vertex> group = PlacesOf(places, keys);
    for (const Vertex vertex : group) {
      placed_[vertex] = 1;
      const Vertex a = RootOf(parents, group.front()), b = RootOf(parents, vertex);
      parents[std::max(a, b)] = std::min(a, b);  // so that the root is the smallest
    }
  }
  classes_.resize(graph.size());
  std::map<Vertex, std::vector<Vertex>> groups;
  std::uint32_t next = 0;
  for (Vertex vertex = 0; vertex < graph.size(); ++vertex) {
    const Vertex root = RootOf(parents, vertex);
    classes_[vertex] = root == vertex ? next++ : classes_[root];
    if (placed_[vertex]) groups[root].push_back(vertex);
  }
  for (auto& [root, group] : groups) groups_.push_back(std::move(group));
  for (const PartitionConstraints::Apart& apart : constraints.apart) {
    Apart bound{apart.cluster, PlacesOf(places, apart.members), PlacesOf(places, apart.body)};
    if (!bound.members.empty()) apart_.push_back(std::move(bound));
  }
  std::sort(apart_.begin(), apart_.end(), [](const Apart& a, const Apart& b) {
    return std::tie(a.cluster, a.members, a.body) < std::tie(b.cluster, b.members, b.body);
  });
}

Sha256Digest BoundConstraints::Digest(const Sha256Digest& of_graph) const {
  if (empty()) return of_graph;
  Bytes bytes(of_graph.begin(), of_graph.end());
  Append(bytes, groups_.size());
  for (const std::vector<Vertex>& group : groups_) Append(bytes, group);
  Append(bytes, apart_.size());
  for (const Apart& apart : apart_) {
    Append(bytes, apart.cluster.size());
    bytes.insert(bytes.end(), apart.cluster.begin(), apart.cluster.end());
    Append(bytes, apart.members);
  }
  return Sha256(bytes);
}

Grouping BoundConstraints::Separate(const ItemGraph& classes, Grouping labels, std::size_t min_size) const {
  if (apart_.empty()) return labels;
  std::vector<Separation::Rule> rules;
  for (const Apart& apart : apart_) {
    Separation::Rule rule;
    for (const Vertex member : apart.members) rule.members.push_back(classes_[member]);
    std::sort(rule.members.begin(), rule.members.end());
    std::map<Vertex, std::size_t> body;
    for (const Vertex member : apart.body) ++body[classes_[member]];
    rule.body.assign(body.begin(), body.end());
    rules.push_back(std::move(rule));
  }
  std::vector<std::uint8_t> placed(classes.size());
  for (const std::vector<Vertex>& group : groups_) placed[classes_[group.front()]] = 1;
  return Separation(classes, std::move(labels), std::move(rules), std::move(placed), min_size).Result();
}

}  // namespace heliograph::server
