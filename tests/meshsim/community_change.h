#pragma once

#include <vector>

#include "tests/meshsim/node.h"

namespace heliograph::meshsim {

/// Two regions that become one community, or two: the repeaters on the ridges between them appear or die for
/// good.
struct CommunityChange {
  UtcMillis at;
  bool joins = false;                ///< or parts
  std::size_t region = 0;            ///< the one that the ridges belong to
  std::size_t far_region = 0;        ///< the other
  std::vector<NodeIndex> repeaters;  ///< on the ridges
};

/// Spreads `options.community_changes` over the span, in turn over the pairs of regions that have ridges
/// between them; a pair joins and parts in turn. Sets when the repeaters on the ridges appear, and appends
/// those that take the place of dead ones to `nodes`. Empty when no ridges join regions.
std::vector<CommunityChange> PlanCommunityChanges(const Terrain& terrain, const PopulationOptions& options,
                                                  Random random, std::vector<Node>& nodes);

}  // namespace heliograph::meshsim
