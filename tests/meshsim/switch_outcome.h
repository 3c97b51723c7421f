#pragma once

#include <cstdint>
#include <vector>

#include "tests/meshsim/node_state.h"
#include "tests/meshsim/observer.h"
#include "tests/meshsim/ratio_estimate.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// The deliveries that a switch to larger hashes leaves, as a share of today's. A delivery is a flood and an
/// observer, or a node that advertised, that it reaches; the flood's origin is neither.
struct SurvivingShares {
  Share to_observers;
  Share to_nodes;
};

struct SwitchOutcome {
  struct ForSize {
    SurvivingShares whole;
    std::vector<SurvivingShares> regions;  ///< by the region of the destination
  };
  struct Upgrade {
    NodeIndex node = 0;
    Share to_nodes;  ///< after it and those before it
  };
  std::size_t origins = 0;  ///< that there are
  std::size_t floods = 0;   ///< that were drawn
  ForSize two, three;
  std::vector<Upgrade> best_upgrades;  ///< for two bytes
};

struct SwitchQuestion {
  /// Nodes that count as upgraded to multi-byte firmware when the switch comes. Today's deliveries are those
  /// of the mesh without them.
  std::vector<NodeIndex> upgraded;
  /// How many of the upgrades that win back most to look for.
  std::size_t best_upgrades = 0;
};

/// What would become of the floods of the mesh in these states if all switched: floods from each node that
/// `advertised` and is up, with the same weight, unscoped. A node with multi-byte firmware uses the new size
/// or its own, whichever is larger; one with older firmware stays with 1 byte. Legacy firmware neither
/// forwards, receives nor reports floods with larger hashes.
///
/// Drawn by chance: 40 floods from each origin, but not more than 4000 in all, fewer in meshes of more than a
/// thousand nodes; with the same chances before and after the switch. The best upgrades are found one after
/// the other, each the best addition to those before it, among the 40 legacy relays with most traffic. The
/// same arguments give the same outcome. At 300 nodes it costs half a second, and 3 s more for five upgrades.
SwitchOutcome EstimateSwitch(const World& world, const ObserverSet& observers, const NodeStates& states,
                             const std::vector<std::uint8_t>& advertised, const SwitchQuestion& question,
                             const Random& random);

}  // namespace heliograph::meshsim
