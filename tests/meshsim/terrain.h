#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// Degrees.
struct GeoPoint {
  double latitude = 0;
  double longitude = 0;
};

/// On a flat map, which is off by less than 1 % over the distances that a link can span.
double DistanceKm(const GeoPoint& a, const GeoPoint& b);
/// The point that lies this far to the east and north.
GeoPoint Shifted(const GeoPoint& from, double east_km, double north_km);

/// What observers call themselves by, and what scoped floods stay inside.
struct Region {
  std::string iata;   ///< three upper-case letters
  std::string scope;  ///< the name whose hash is the scope's key, with its '#'
  GeoPoint centre;
};

/// A place where people live, with a hill above it: a community of the mesh. Or a lonely ridge between two
/// regions.
struct Town {
  std::string name;
  std::size_t region = 0;
  GeoPoint centre;
  double radius_km = 0;
  GeoPoint summit;
  bool ridge = false;
  std::size_t far_region = 0;  ///< of a ridge: the other region that it joins
};

struct Terrain {
  double spread_km = 0;  ///< of the towns of a region around its centre
  std::vector<Region> regions;
  std::vector<Town> towns;
};

/// How many regions BuildTerrain knows.
inline constexpr std::size_t kMaxRegions = 16;

/// Regions around real airports of the American west coast, with invented towns around them: about one for
/// every 25 nodes. Ridges join each region to the nearest one before it.
/// Towns lie `town_spacing_km` from each other where there is room, anywhere when it is 0.
/// REQUIRED: 1 <= region_count <= kMaxRegions.
Terrain BuildTerrain(std::size_t region_count, std::size_t node_count, Random random,
                     double town_spacing_km = 0);

/// The index of one more town in that region, as far from all others as `town_spacing_km` or as there is
/// room.
std::size_t AddTown(Terrain& terrain, std::size_t region, double town_spacing_km, Random& random);

}  // namespace heliograph::meshsim
