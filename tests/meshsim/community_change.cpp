#include "tests/meshsim/community_change.h"

#include <algorithm>

namespace heliograph::meshsim {
namespace {

/// The ridges that join one region to another.
struct Chain {
  std::size_t region = 0, far_region = 0;
  std::vector<std::size_t> towns;
  std::vector<NodeIndex> repeaters;  ///< that are there at the moment, or from the start
  bool changed_before = false;
};

std::vector<Chain> FindChains(const Terrain& terrain, const std::vector<Node>& nodes) {
  std::vector<Chain> chains;
  for (std::size_t t = 0; t < terrain.towns.size(); ++t) {
    const Town& town = terrain.towns[t];
    if (!town.ridge) continue;
    if (chains.empty() || chains.back().region != town.region) {
      chains.push_back({town.region, town.far_region, {}, {}, false});
    }
    chains.back().towns.push_back(t);
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      if (nodes[i].town == t) chains.back().repeaters.push_back(i);
    }
  }
  return chains;
}

UtcMillis TimeOf(std::size_t change, const PopulationOptions& options, Random& random) {
  const double part = (static_cast<double>(change) + random.Between(0.25, 0.75)) /
                      static_cast<double>(options.community_changes);
  return options.start + std::chrono::milliseconds(
                             static_cast<std::int64_t>(part * static_cast<double>(options.span.count())));
}

}  // namespace

std::vector<CommunityChange> PlanCommunityChanges(const Terrain& terrain, const PopulationOptions& options,
                                                  Random random, std::vector<Node>& nodes) {
  std::vector<CommunityChange> changes;
  std::vector<Chain> chains = FindChains(terrain, nodes);
  if (chains.empty()) return changes;
  random.Shuffle(chains);
  for (std::size_t k = 0; k < options.community_changes; ++k) {
    Chain& chain = chains[k % chains.size()];
    CommunityChange change{TimeOf(k, options, random), false, chain.region, chain.far_region,
                           chain.repeaters};
    const bool late = !chain.changed_before && random.Chance(0.5);  // its first repeaters join the regions
    change.joins = late || chain.repeaters.empty();
    if (chain.repeaters.empty()) {
      for (const std::size_t town : chain.towns) {
        change.repeaters.push_back(static_cast<NodeIndex>(nodes.size()));
        nodes.push_back(BuildRidgeRepeater(terrain, town, nodes.size(), change.at, options, random));
      }
    }
    for (const NodeIndex repeater : change.repeaters) {
      if (!change.joins) continue;
      Node& node = nodes[repeater];
      node.appears = change.at;
      if (node.multibyte_since) node.multibyte_since = std::max(*node.multibyte_since, change.at);
    }
    chain.repeaters = change.joins ? change.repeaters : std::vector<NodeIndex>{};
    chain.changed_before = true;
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace heliograph::meshsim
