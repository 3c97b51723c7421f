#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/advert.h"
#include "common/crypto.h"
#include "common/time.h"
#include "tests/meshsim/random.h"
#include "tests/meshsim/terrain.h"

namespace heliograph::meshsim {

/// The index of a node in the population.
using NodeIndex = std::uint32_t;

/// Where an antenna stands, which decides how far it reaches.
enum class Site { kIndoors, kRoof, kSummit, kRidge };

/// A node of the mesh as it truly is.
struct Node {
  explicit Node(Ed25519KeyPair its_keys) : keys(its_keys) {}

  Ed25519KeyPair keys;
  NodeType role = NodeType::kCompanion;
  std::string name;  ///< unique, at most 23 bytes of UTF-8: what an advert with a position has room for
  std::size_t region = 0;
  std::size_t town = 0;
  GeoPoint position;
  Site site = Site::kIndoors;
  bool tells_position = true;  ///< its adverts carry the position
  bool relays = false;         ///< forwards what it hears
  std::uint8_t path_hash_mode =
      0;  ///< its size when it originates, less one, once the firmware has the setting
  std::optional<UtcMillis>
      multibyte_since;  ///< when it got firmware 1.14 or later; may lie ahead; never when absent
  std::int64_t clock_offset_seconds = 0;  ///< its own clock, less the true time
  std::vector<NodeIndex> contacts;        ///< whom it talks to privately
  std::uint32_t moves = 0;                ///< how often it got another place
  std::optional<UtcMillis> appears;       ///< there from the start when absent
};

struct PopulationOptions {
  std::size_t node_count = 0;
  double legacy_share = 0;  ///< of the nodes, at the start; the same among those that relay and the others
  double upgrades_per_day = 0;  ///< the share of the legacy nodes that get newer firmware in a day
  UtcMillis start;
  std::chrono::milliseconds span{};  ///< newcomers appear within it
  double births_per_day = 0;  ///< newcomers in a day, as a share of node_count; in all at most node_count
  std::size_t community_changes = 0;   ///< within the span
  std::size_t colliding_prefixes = 0;  ///< pairs of relays whose keys begin alike
  std::size_t resettlements = 0;       ///< of towns, within the span
  double town_spacing_km = 0;
};

/// The nodes that are there at the start and, after them, those that appear later.
/// REQUIRED: the terrain has a town, and node_count > 0.
std::vector<Node> BuildPopulation(const Terrain& terrain, const PopulationOptions& options, Random random);

/// A repeater on the ridge with this index in the terrain's towns, that appears at this time.
Node BuildRidgeRepeater(const Terrain& terrain, std::size_t town, std::size_t number, UtcMillis appears,
                        const PopulationOptions& options, Random& random);

/// One that appears in this town at this time, as its pioneer or as anyone.
Node BuildNewcomer(const Terrain& terrain, std::size_t town, bool pioneer, std::size_t number,
                   UtcMillis appears, const PopulationOptions& options, Random& random);

/// Somewhere in the town where such an antenna stands.
GeoPoint ChoosePosition(const Town& town, Site site, Random& random);

/// The towns where people live: not the ridges.
std::vector<std::size_t> InhabitedTowns(const Terrain& terrain);

}  // namespace heliograph::meshsim
