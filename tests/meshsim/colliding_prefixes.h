#pragma once

#include <vector>

#include "tests/meshsim/node.h"

namespace heliograph::meshsim {

/// As many pairs as PairsWithCollidingPrefixes can make in good time.
inline constexpr std::size_t kMaxCollidingPrefixes = 200;

/// Gives pairs of relays, which are there from the start, keys that begin alike: half of the pairs with 3
/// bytes, the others with 2. As many pairs as are asked for or as there are relays for. Among many random
/// keys some pairs collide by themselves, so that the search costs the root of what it would cost to aim at
/// one prefix: 0.05 s for 10 pairs, 2 s for 200. REQUIRED: pairs <= kMaxCollidingPrefixes.
void MakePrefixesCollide(std::vector<Node>& nodes, std::size_t pairs, Random random);

}  // namespace heliograph::meshsim
