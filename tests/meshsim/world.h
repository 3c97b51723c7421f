#pragma once

#include <vector>

#include "tests/meshsim/node.h"
#include "tests/meshsim/radio.h"
#include "tests/meshsim/terrain.h"

namespace heliograph::meshsim {

/// What does not change while the mesh lives: the truth that an analysis is measured against.
struct World {
  Terrain terrain;
  std::vector<Node> nodes;
  LinkTable links;  ///< receivers are nodes
};

/// REQUIRED: 1 <= region_count <= kMaxRegions, options.node_count > 0.
World BuildWorld(std::size_t region_count, const PopulationOptions& options, const Random& random);

}  // namespace heliograph::meshsim
