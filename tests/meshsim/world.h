#pragma once

#include <vector>

#include "tests/meshsim/community_change.h"
#include "tests/meshsim/node.h"
#include "tests/meshsim/radio.h"
#include "tests/meshsim/resettlement.h"
#include "tests/meshsim/terrain.h"

namespace heliograph::meshsim {

/// The mesh as it is at a moment: the truth that an analysis is measured against. Nodes that are yet to
/// appear and nodes that have died are in it too.
struct World {
  Terrain terrain;
  std::vector<Node> nodes;
  std::vector<CommunityChange> community_changes;  ///< to come, in the order of their times
  std::vector<Resettlement> resettlements;         ///< likewise
  Surroundings surroundings;
  LinkTable links;  ///< receivers are nodes

  /// Brings the links of `node` up to date with its place.
  void Relink(NodeIndex node) { meshsim::Relink(node, nodes, surroundings, links); }
};

/// REQUIRED: 1 <= region_count <= kMaxRegions, options.node_count > 0.
World BuildWorld(std::size_t region_count, const PopulationOptions& options, const Random& random);

}  // namespace heliograph::meshsim
