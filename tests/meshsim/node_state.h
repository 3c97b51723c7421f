#pragma once

#include <cstdint>
#include <vector>

#include "tests/meshsim/firmware.h"

namespace heliograph::meshsim {

/// What changes of a node while the mesh lives, apart from its place.
struct NodeState {
  bool up = true;     ///< on the air
  bool alive = true;  ///< false before it appears and after it died; then it is not up either
  Firmware firmware = Firmware::kLegacy;
  std::uint8_t path_hash_mode = 0;

  /// True when the node takes a packet with hashes of this size now.
  bool Takes(std::size_t hash_size) const { return up && Accepts(firmware, hash_size); }
  /// The size that it gives its own packets.
  std::size_t OwnHashSize() const { return OriginatedHashSize(firmware, path_hash_mode); }
};

/// By node.
using NodeStates = std::vector<NodeState>;

}  // namespace heliograph::meshsim
