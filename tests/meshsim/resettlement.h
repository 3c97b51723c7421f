#pragma once

#include <cstdint>
#include <vector>

#include "tests/meshsim/node.h"

namespace heliograph::meshsim {

enum class ResettlementKind : std::uint8_t {
  kFounded,    ///< a town of newcomers
  kAbandoned,  ///< all who live in a town go off the air for good
  kSplits,     ///< some of those who live in a town found another
  kMerges,     ///< all who live in a town go to live in another
};

/// Towns that change as a whole.
struct Resettlement {
  UtcMillis at;
  ResettlementKind kind{};
  std::size_t from = 0;              ///< the town that changes; the new one of kFounded
  std::size_t to = 0;                ///< of kSplits the new town, of kMerges the other one
  double share = 0;                  ///< of kSplits, of those who live there, that leave
  std::vector<NodeIndex> newcomers;  ///< of kFounded
};

/// Spreads `options.resettlements` over the span, the kinds in turn, in towns of the same region, each town
/// at most once. Appends the new towns to `terrain` and those who come to live there to `nodes`. Fewer when
/// the towns do not suffice.
std::vector<Resettlement> PlanResettlements(Terrain& terrain, const PopulationOptions& options, Random random,
                                            std::vector<Node>& nodes);

}  // namespace heliograph::meshsim
