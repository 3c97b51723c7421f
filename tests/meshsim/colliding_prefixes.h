#pragma once

#include <vector>

#include "tests/meshsim/node.h"

namespace heliograph::meshsim {

/// More would take long.
inline constexpr std::size_t kMaxCollidingPrefixes = 200;

/// Gives pairs of relays, which are there from the start, keys that begin alike: half of the pairs with 3
/// bytes, the others with 2. As many pairs as are asked for or as there are relays for. Among many random
/// keys some pairs collide by themselves, so that 10 pairs cost 0.3 s and 200 cost 2 s, where aiming at one
/// prefix of 3 bytes would cost minutes. REQUIRED: pairs <= kMaxCollidingPrefixes.
void MakePrefixesCollide(std::vector<Node>& nodes, std::size_t pairs, Random random);

}  // namespace heliograph::meshsim
