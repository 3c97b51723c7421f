#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "server/analytics/clusters/item_graph.h"

namespace heliograph::server {

/// Keys and edges before they are a graph, so that tests can shuffle them.
struct GraphInput {
  std::vector<std::string> keys;
  std::vector<WeightedEdge> edges;

  Vertex Add(std::string key) {
    keys.push_back(std::move(key));
    return static_cast<Vertex>(keys.size() - 1);
  }
  void Link(Vertex a, Vertex b, double weight = 1) { edges.push_back({a, b, weight}); }
  ItemGraph Build() const { return ItemGraph::Build(keys, edges).value(); }

  /// The same in another order: of keys, of edges, and of the ends of edges.
  GraphInput Shuffled(std::uint64_t seed) const {
    std::mt19937_64 draw(seed);
    std::vector<Vertex> place(keys.size());
    for (Vertex i = 0; i < place.size(); ++i) place[i] = i;
    std::shuffle(place.begin(), place.end(), draw);
    GraphInput other;
    other.keys.resize(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) other.keys[place[i]] = keys[i];
    for (const WeightedEdge& edge : edges) {
      const bool turn = draw() % 2 == 0;
      other.Link(place[turn ? edge.b : edge.a], place[turn ? edge.a : edge.b], edge.weight);
    }
    std::shuffle(other.edges.begin(), other.edges.end(), draw);
    return other;
  }
};

/// Item `i` of group `g` as "g<g>-<i>", with two digits each.
inline std::string PlantedKey(int group, int item) {
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return "g" + two(group) + "-" + two(item);
}

/// `groups` cliques of `size`, each joined to the next by one weaker edge, in a ring.
inline GraphInput RingOfCliques(int groups, int size, double bridge = 0.5) {
  GraphInput input;
  for (int group = 0; group < groups; ++group)
    for (int item = 0; item < size; ++item) input.Add(PlantedKey(group, item));
  const auto at = [&](int group, int item) { return static_cast<Vertex>(group % groups * size + item); };
  for (int group = 0; group < groups; ++group) {
    for (int i = 0; i < size; ++i)
      for (int j = i + 1; j < size; ++j) input.Link(at(group, i), at(group, j));
    if (groups > 1) input.Link(at(group, 0), at(group + 1, 1), bridge);
  }
  return input;
}

/// `groups` groups of `size` with about `inside` random edges of each item to its own group and `outside` to
/// others.
inline GraphInput RandomGroups(int groups, int size, double inside, double outside, std::uint64_t seed) {
  GraphInput input;
  std::mt19937_64 draw(seed);
  const int n = groups * size;
  for (int i = 0; i < n; ++i) input.Add(PlantedKey(i / size, i % size));
  const auto link = [&](double degree, auto other) {
    for (int k = 0; k < static_cast<int>(degree * n / 2); ++k) {
      const int a = static_cast<int>(draw() % static_cast<std::uint64_t>(n));
      const int b = other(a);
      const double weight = 0.1 + static_cast<double>(draw() % 1000) / 1000;
      if (a != b) input.Link(static_cast<Vertex>(a), static_cast<Vertex>(b), weight);
    }
  };
  link(inside,
       [&](int a) { return a / size * size + static_cast<int>(draw() % static_cast<std::uint64_t>(size)); });
  link(outside, [&](int) { return static_cast<int>(draw() % static_cast<std::uint64_t>(n)); });
  return input;
}

}  // namespace heliograph::server
