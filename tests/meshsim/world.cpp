#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

World BuildWorld(std::size_t region_count, const PopulationOptions& options, const Random& random) {
  World world;
  world.terrain = BuildTerrain(region_count, options.node_count, random.Fork(1));
  world.nodes = BuildPopulation(world.terrain, options, random.Fork(2));
  world.links = BuildLinks(world.nodes, random.Fork(3));
  world.relay_links = world.links.Filtered(
      [&world](NodeIndex to) { return world.nodes[to].relays ? static_cast<std::int64_t>(to) : -1; });
  return world;
}

}  // namespace heliograph::meshsim
