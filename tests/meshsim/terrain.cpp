#include "tests/meshsim/terrain.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <numbers>

namespace heliograph::meshsim {
namespace {

constexpr double kKmPerDegree = 111.2;
constexpr double kRidgeSpacingKm = 50;
constexpr std::size_t kNodesPerTown = 25;
constexpr double kRoomForSpacing = 0.65;  // of the spacing; half of it would be a perfect grid
constexpr int kMostTries = 60;            // for a place that is far enough from the others

struct Airport {
  const char* iata;
  double latitude, longitude;
};

constexpr std::array<Airport, kMaxRegions> kAirports = {{
    {"SFO", 37.62, -122.38},
    {"SAC", 38.70, -121.59},
    {"MRY", 36.59, -121.84},
    {"STS", 38.51, -122.81},
    {"SCK", 37.89, -121.24},
    {"FAT", 36.78, -119.72},
    {"RNO", 39.50, -119.77},
    {"RDD", 40.51, -122.29},
    {"ACV", 40.98, -124.11},
    {"SBP", 35.24, -120.64},
    {"BFL", 35.43, -119.06},
    {"LAX", 33.94, -118.41},
    {"SAN", 32.73, -117.19},
    {"PSP", 33.83, -116.51},
    {"MFR", 42.37, -122.87},
    {"EUG", 44.12, -123.22},
}};

constexpr std::array kTownNames = {
    "Alder",   "Birchton", "Cedar Bay", "Dunmore",  "Eastlake",  "Fernley",   "Granite",  "Hazelwood",
    "Ivydale", "Juniper",  "Kelso",     "Larkin",   "Millbrook", "Northgate", "Oakridge", "Pinecrest",
    "Quarry",  "Redwater", "Sandhill",  "Tamarack", "Upton",     "Valmont",   "Westport", "Yarrow",
};

std::string TownName(std::size_t number) {
  std::string name = kTownNames[number % kTownNames.size()];
  const std::size_t round = number / kTownNames.size();
  return round == 0 ? name : name + " " + std::to_string(round + 1);
}

std::string ScopeName(std::string_view iata) {
  std::string scope = "#";
  for (char c : iata) scope += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return scope;
}

/// A place for a town: the first that is far enough from all others, or the loneliest of those tried.
GeoPoint PlaceFor(const Terrain& terrain, const GeoPoint& centre, double spacing_km, Random& random) {
  GeoPoint best;
  double best_km = -1;
  for (int tries = 0; tries < kMostTries; ++tries) {
    const double spread_km = terrain.spread_km;
    const GeoPoint place =
        Shifted(centre, random.Between(-spread_km, spread_km), random.Between(-spread_km, spread_km));
    double nearest_km = std::numeric_limits<double>::infinity();
    for (const Town& other : terrain.towns) {
      if (!other.ridge) nearest_km = std::min(nearest_km, DistanceKm(place, other.centre));
    }
    if (nearest_km > best_km) {
      best = place;
      best_km = nearest_km;
    }
    if (best_km >= spacing_km) break;
  }
  return best;
}

Town PlaceTown(const Terrain& terrain, std::size_t region, double spacing_km, Random& random) {
  Town town;
  town.name = TownName(terrain.towns.size());
  town.region = region;
  town.centre = PlaceFor(terrain, terrain.regions[region].centre, spacing_km, random);
  town.radius_km = random.Between(2.0, 4.5);
  town.summit = Shifted(town.centre, random.Normal() * 4, random.Normal() * 4);
  return town;
}

/// Ridges on the line from `region` to the nearest region before it, close enough to hear each other.
void PlaceRidges(Terrain& terrain, std::size_t region) {
  const GeoPoint& here = terrain.regions[region].centre;
  const auto& regions = terrain.regions;
  const auto nearest =
      std::min_element(regions.begin(), regions.begin() + static_cast<std::ptrdiff_t>(region),
                       [&](const Region& a, const Region& b) {
                         return DistanceKm(a.centre, here) < DistanceKm(b.centre, here);
                       });
  const auto steps = static_cast<int>(std::ceil(DistanceKm(nearest->centre, here) / kRidgeSpacingKm));
  for (int i = 1; i < steps; ++i) {
    const double part = static_cast<double>(i) / steps;
    Town ridge;
    ridge.name = TownName(terrain.towns.size()) + " Ridge";
    ridge.region = region;
    ridge.far_region = static_cast<std::size_t>(nearest - regions.begin());
    ridge.centre = {here.latitude + (nearest->centre.latitude - here.latitude) * part,
                    here.longitude + (nearest->centre.longitude - here.longitude) * part};
    ridge.summit = ridge.centre;
    ridge.ridge = true;
    terrain.towns.push_back(ridge);
  }
}

}  // namespace

double DistanceKm(const GeoPoint& a, const GeoPoint& b) {
  const double mid = (a.latitude + b.latitude) / 2 * std::numbers::pi / 180;
  const double north = (a.latitude - b.latitude) * kKmPerDegree;
  const double east = (a.longitude - b.longitude) * kKmPerDegree * std::cos(mid);
  return std::sqrt(north * north + east * east);
}

GeoPoint Shifted(const GeoPoint& from, double east_km, double north_km) {
  const double cosine = std::cos(from.latitude * std::numbers::pi / 180);
  return {from.latitude + north_km / kKmPerDegree, from.longitude + east_km / (kKmPerDegree * cosine)};
}

std::size_t AddTown(Terrain& terrain, std::size_t region, double town_spacing_km, Random& random) {
  terrain.towns.push_back(PlaceTown(terrain, region, town_spacing_km, random));
  return terrain.towns.size() - 1;
}

Terrain BuildTerrain(std::size_t region_count, std::size_t node_count, Random random,
                     double town_spacing_km) {
  Terrain terrain;
  const std::size_t per_region = std::max<std::size_t>(1, node_count / region_count / kNodesPerTown);
  terrain.spread_km =
      std::max(11.0, kRoomForSpacing * town_spacing_km) * std::sqrt(static_cast<double>(per_region));
  for (std::size_t r = 0; r < region_count; ++r) {
    const Airport& airport = kAirports[r];
    const GeoPoint centre{airport.latitude, airport.longitude};
    terrain.regions.push_back({airport.iata, ScopeName(airport.iata), centre});
    for (std::size_t t = 0; t < per_region; ++t) {
      AddTown(terrain, r, town_spacing_km, random);
    }
  }
  for (std::size_t r = 1; r < region_count; ++r) PlaceRidges(terrain, r);
  return terrain;
}

}  // namespace heliograph::meshsim
