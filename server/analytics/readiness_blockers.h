#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "server/analytics/flood_worlds.h"
#include "server/analytics/readiness.h"

namespace heliograph::server {

/// Looks for the relays whose upgrade wins back most of the deliveries to nodes, one after the other: each in
/// the place where it adds most to those before it. Floods set out from a sample of the origins.
class BlockerSearch {
 public:
  /// REQUIRED: `input` and `capable` outlive the search; hash_size is 2 or 3.
  BlockerSearch(const ReadinessInput& input, const std::vector<Worlds>& capable, std::size_t hash_size);

  /// The first blockers of the whole mesh, or of the destinations in one region, at most `most`. One that
  /// wins back nothing is none.
  std::vector<SwitchBlocker> Find(std::optional<RegionIndex> region, std::size_t most);

 private:
  /// A flood after the switch, as far as it has come.
  struct Run {
    GraphNode origin = 0;
    std::size_t weather = 0;  ///< which draw of the links it has
    Worlds multibyte = 0;
    std::vector<Worlds> reached;
  };
  /// What an upgrade adds, in deliveries in all worlds together.
  struct Gain {
    std::vector<double> by_region;  ///< the last is that of nodes without a region
  };
  struct State {
    std::vector<Run> runs;
    std::vector<Worlds> capable;
  };

  std::size_t Slot(GraphNode node) const;
  double InScope(const std::vector<double>& by_region, std::optional<RegionIndex> region) const;
  void ChooseCandidates();
  void StartFloods();
  Gain Upgrade(GraphNode relay, State& state, bool keep);
  void Accept(GraphNode relay, State& state);
  void SubtractOwnFlood(GraphNode relay, const State& state, Gain& gain);

  const ReadinessInput& input_;
  const std::size_t hash_size_;
  std::vector<FloodWorlds> weathers_;
  std::vector<GraphNode> candidates_;
  std::vector<Gain> first_gains_;  ///< by place in candidates_
  std::vector<double> today_;      ///< deliveries by region, as in Gain
  double origins_per_run_ = 1;
  State start_;
};

}  // namespace heliograph::server
