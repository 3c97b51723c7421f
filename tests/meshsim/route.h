#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tests/meshsim/node_state.h"
#include "tests/meshsim/propagation.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// The relays between two nodes, in order.
using Route = std::vector<NodeIndex>;

/// The fewest relays over links that carry more than half of the packets, all up and taking hashes of this
/// size; nothing when there is no such way. An empty route means that the two hear each other.
std::optional<Route> FindRoute(const World& world, const NodeStates& states, NodeIndex from, NodeIndex to,
                               std::size_t hash_size);

/// Sends a packet along a planned route. A hop that the packet does not reach ends the journey.
void SendAlong(const World& world, const ObserverSet& observers, const NodeStates& states, NodeIndex origin,
               std::span<const NodeIndex> route, const AirFrame& frame, UtcMillis start, Random& random,
               Propagation& out);

}  // namespace heliograph::meshsim
