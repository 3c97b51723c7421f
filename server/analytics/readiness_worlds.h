#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/analytics/flood_worlds.h"
#include "server/analytics/readiness.h"

namespace heliograph::server {

/// How many hops fit into a flood's path. Source: MeshCore firmware, Mesh::routeRecvPacket: 64 bytes, and a
/// count of 6 bits. REQUIRED: hash_size is 1 to 3.
std::uint32_t MostHops(std::size_t hash_size);

/// The worlds in which each node's firmware takes multi-byte packets. Beside the chance of each node the
/// worlds differ in how capable those are of whom little is known, for that error is common to all of them.
std::vector<Worlds> DrawCapability(const ReadinessInput& input, WorldRandom& random);

/// Today's flood of this origin.
FloodStart FloodToday(const ReadinessInput& input, GraphNode origin);
/// The same after the switch to hashes of `hash_size`.
FloodStart FloodAfter(const ReadinessInput& input, GraphNode origin, std::size_t hash_size,
                      const std::vector<Worlds>& capable);

/// At most `most` of the nodes that advertise, each once, in an order that depends on chance alone.
std::vector<GraphNode> DrawOrigins(const ReadinessInput& input, std::size_t most, WorldRandom& random);

/// Who relays, by GraphNode.
std::vector<bool> RelaysOf(const ReadinessInput& input);

}  // namespace heliograph::server
