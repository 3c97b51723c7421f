#include "tests/evaluation/clusters/divider.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace heliograph::evaluation {
namespace {

constexpr std::size_t kLeastCluster = 3;

std::string KeyOf(int item) {
  char text[16];
  std::snprintf(text, sizeof text, "%08d", item);
  return text;
}

bool Chance(std::mt19937_64& random, double probability) {
  return static_cast<double>(random() >> 11) * 0x1p-53 < probability;
}

}  // namespace

Moment MomentOf(const PlantedRun& run) {
  std::vector<std::string> keys;
  std::map<int, server::Vertex> place;
  for (const int item : run.items) {
    place[item] = static_cast<server::Vertex>(keys.size());
    keys.push_back(KeyOf(item));
  }
  std::vector<server::WeightedEdge> edges;
  for (const auto& [a, b] : run.edges) edges.push_back({place.at(a), place.at(b), 1});
  return {server::ItemGraph::Build(std::move(keys), std::move(edges)).value(), run.items, run.group_of};
}

server::Grouping LabelsOf(const Moment& moment, const Groups& groups) {
  std::map<int, std::uint32_t> label;
  for (std::uint32_t i = 0; i < groups.clusters.size(); ++i)
    for (const int item : groups.clusters[i]) label[item] = i;
  auto alone = static_cast<std::uint32_t>(groups.clusters.size());
  server::Grouping labels;
  for (const int item : moment.items) {
    const auto found = label.find(item);
    labels.push_back(found == label.end() ? alone++ : found->second);
  }
  return labels;
}

server::Grouping TruthOf(const Moment& moment) {
  std::map<int, std::vector<int>> members;
  for (const auto& [item, group] : moment.group_of) members[group].push_back(item);
  Groups groups;
  for (auto& [group, of_group] : members) groups.clusters.push_back(std::move(of_group));
  return LabelsOf(moment, groups);
}

Groups EngineDivider::Divide(const Moment& moment) {
  const auto partition = server::DivideIntoClusters(moment.graph, parameters_, former_, {});
  if (!partition) throw std::runtime_error(partition.error().text);
  Groups groups;
  server::FormerGroups former;
  for (const server::Cluster& cluster : partition->clusters) {
    groups.clusters.emplace_back();
    former.emplace_back();
    for (const server::ClusterMember& member : cluster.members) {
      groups.clusters.back().push_back(moment.items[member.vertex]);
      former.back().push_back(moment.graph.keys()[member.vertex]);
    }
  }
  for (const server::Vertex vertex : partition->unclustered)
    groups.unclustered.push_back(moment.items[vertex]);
  if (warm_) former_ = std::move(former);
  return groups;
}

Groups OracleDivider::Divide(const Moment& moment) {
  std::map<int, std::vector<int>> clusters;
  for (const auto& [item, group] : moment.group_of) clusters[group];
  Groups groups;
  for (const int item : moment.items) {
    const auto group = moment.group_of.find(item);
    if (group == moment.group_of.end()) {
      groups.unclustered.push_back(item);
      continue;
    }
    auto target = clusters.find(group->second);
    if (Chance(random_, noise_))
      target = std::next(clusters.begin(), static_cast<std::ptrdiff_t>(random_() % clusters.size()));
    target->second.push_back(item);
  }
  for (auto& [group, members] : clusters)
    if (!members.empty()) groups.clusters.push_back(std::move(members));
  return groups;
}

Groups ComponentDivider::Divide(const Moment& moment) {
  std::vector<std::size_t> parent(moment.items.size()), size(moment.items.size(), 1);
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&](std::size_t vertex) {
    while (parent[vertex] != vertex) vertex = parent[vertex] = parent[parent[vertex]];
    return vertex;
  };
  std::vector<server::WeightedEdge> edges = moment.graph.edges();
  std::stable_sort(edges.begin(), edges.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  for (const server::WeightedEdge& edge : edges) {
    const std::size_t a = root(edge.a), b = root(edge.b);
    if (a == b || size[a] + size[b] > bound_) continue;
    parent[b] = a;
    size[a] += size[b];
  }
  std::map<std::size_t, std::vector<int>> members;
  for (std::size_t vertex = 0; vertex < parent.size(); ++vertex)
    members[root(vertex)].push_back(moment.items[vertex]);
  Groups groups;
  for (auto& [first, of_group] : members) {
    auto& into = groups.unclustered;
    if (of_group.size() < kLeastCluster) {
      into.insert(into.end(), of_group.begin(), of_group.end());
    } else {
      groups.clusters.push_back(std::move(of_group));
    }
  }
  return groups;
}

}  // namespace heliograph::evaluation
