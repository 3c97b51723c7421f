#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

World BuildWorld(std::size_t region_count, const PopulationOptions& options, const Random& random) {
  World world;
  world.terrain = BuildTerrain(region_count, options.node_count, random.Fork(1), options.town_spacing_km);
  world.nodes = BuildPopulation(world.terrain, options, random.Fork(2));
  world.community_changes = PlanCommunityChanges(world.terrain, options, random.Fork(6), world.nodes);
  world.resettlements = PlanResettlements(world.terrain, options, random.Fork(7), world.nodes);
  world.surroundings = BuildSurroundings(world.nodes.size(), random.Fork(3));
  world.links = BuildLinks(world.nodes, world.surroundings);
  return world;
}

}  // namespace heliograph::meshsim
