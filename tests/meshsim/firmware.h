#pragma once

#include <cstddef>

#include "common/packet.h"

namespace heliograph::meshsim {

/// What a node's firmware can do at a moment.
enum class Firmware : unsigned char {
  kLegacy,     ///< before 1.14: knows hashes of 1 byte only, and silently drops packets with larger ones
  kMultibyte,  ///< 1.14 or later
};

/// The hash size a node writes into what it originates. Source: MeshCore firmware, path.hash.mode.
std::size_t OriginatedHashSize(Firmware firmware, unsigned path_hash_mode);

/// True when the firmware takes a packet with hashes of this size at all: to forward, to read and to report
/// it.
bool Accepts(Firmware firmware, std::size_t hash_size);

/// True when one more hash fits into a flood's path. Source: MeshCore firmware, Mesh::routeRecvPacket.
bool PathHasRoom(std::size_t hash_size, std::size_t hops_so_far);

/// A version that a node with such firmware could report.
const char* VersionName(Firmware firmware, unsigned variant);

}  // namespace heliograph::meshsim
