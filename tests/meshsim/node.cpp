#include "tests/meshsim/node.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "tests/meshsim/colliding_prefixes.h"

namespace heliograph::meshsim {
namespace {

constexpr std::array kRoles = {NodeType::kRepeater, NodeType::kCompanion, NodeType::kRoom, NodeType::kSensor};
constexpr std::array kRoleWeights = {0.45, 0.42, 0.08, 0.05};
constexpr std::array kModeWeights = {0.55, 0.30, 0.15};
constexpr std::size_t kContacts = 4;
constexpr double kMillisPerDay = 86'400'000;
constexpr double kLongestWaitDays = 3650;

const char* RoleLetter(NodeType role) {
  switch (role) {
    case NodeType::kRepeater:
      return "R";
    case NodeType::kRoom:
      return "Room";
    case NodeType::kSensor:
      return "Sensor";
    default:
      return "C";
  }
}

std::string NodeName(const Town& town, NodeType role, std::size_t number, Random& random) {
  static constexpr std::array kMarks = {" 🌲", " ⛰", " é", " 📡"};
  std::string stem = town.name.substr(0, town.name.find(' ')).substr(0, 9);
  std::string name = stem + " " + RoleLetter(role) + std::to_string(number);
  if (random.Chance(0.1) && name.size() <= 18) name += random.Pick(kMarks);
  return name;
}

Site ChooseSite(NodeType role, Random& random) {
  if (role == NodeType::kRepeater) return random.Chance(0.16) ? Site::kSummit : Site::kRoof;
  if (role == NodeType::kCompanion) return random.Chance(0.2) ? Site::kRoof : Site::kIndoors;
  return Site::kRoof;
}

std::int64_t ChooseClockOffset(Random& random) {
  if (random.Chance(0.85)) return static_cast<std::int64_t>(random.Normal() * 3);
  if (random.Chance(0.7)) return static_cast<std::int64_t>(random.Normal() * 900);
  return -static_cast<std::int64_t>(random.Between(30, 500)) * 86'400;  // a clock that was never set
}

/// A pioneer is the repeater above a town or a ridge.
Node BuildNode(const Terrain& terrain, std::optional<std::size_t> pioneer_of,
               const std::vector<std::size_t>& inhabited, std::size_t number, Random& random) {
  std::array<std::uint8_t, Ed25519KeyPair::kSeedSize> seed{};
  random.Fill(seed);
  Node node{Ed25519KeyPair(seed)};
  node.role = pioneer_of ? NodeType::kRepeater : kRoles[random.Weighted(kRoleWeights)];
  node.town = pioneer_of ? *pioneer_of : random.Pick(inhabited);
  const Town& town = terrain.towns[node.town];
  node.name = NodeName(town, node.role, number, random);
  node.region = town.region;
  node.site = pioneer_of ? (town.ridge ? Site::kRidge : Site::kSummit) : ChooseSite(node.role, random);
  node.position = ChoosePosition(town, node.site, random);
  node.tells_position = random.Chance(node.role == NodeType::kCompanion ? 0.4 : 0.9);
  node.relays = node.role == NodeType::kRepeater || (node.role == NodeType::kRoom && random.Chance(0.2));
  node.path_hash_mode = static_cast<std::uint8_t>(random.Weighted(kModeWeights));
  node.clock_offset_seconds = ChooseClockOffset(random);
  return node;
}

std::chrono::milliseconds Days(double days) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(days * kMillisPerDay));
}

/// Firmware for one group of nodes, so that the share of legacy nodes is met to the node.
void AssignFirmware(std::vector<Node>& nodes, std::vector<NodeIndex> group, const PopulationOptions& options,
                    Random& random) {
  random.Shuffle(group);
  const auto legacy =
      static_cast<std::size_t>(options.legacy_share * static_cast<double>(group.size()) + 0.5);
  for (std::size_t i = 0; i < group.size(); ++i) {
    Node& node = nodes[group[i]];
    const double age_days = random.Between(5, 200);
    if (i >= legacy) {
      node.multibyte_since = options.start - Days(age_days);
    } else if (options.upgrades_per_day > 0) {
      const double wait = random.Exponential(1 / options.upgrades_per_day);
      if (wait < kLongestWaitDays) node.multibyte_since = options.start + Days(wait);
    }
  }
}

/// The firmware of one that appears later: what is new is half as often legacy as what was there.
void AssignFirmwareOfNewcomer(Node& node, const PopulationOptions& options, Random& random) {
  if (!random.Chance(options.legacy_share / 2)) {
    node.multibyte_since = node.appears;
  } else if (options.upgrades_per_day > 0) {
    const double wait = random.Exponential(1 / options.upgrades_per_day);
    if (wait < kLongestWaitDays) node.multibyte_since = *node.appears + Days(wait);
  }
}

/// Contacts among the nodes that are there from the start, in the same region.
void ChooseContacts(std::vector<Node>& nodes, std::size_t region_count, Random& random) {
  std::vector<std::vector<NodeIndex>> by_region(region_count);
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].appears) by_region[nodes[i].region].push_back(i);
  }
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const auto& around = by_region[nodes[i].region];
    for (std::size_t c = 0; c < kContacts && around.size() > 1; ++c) {
      const NodeIndex contact = random.Pick(around);
      if (contact != i) nodes[i].contacts.push_back(contact);
    }
  }
}

/// When newcomers appear, in order.
std::vector<UtcMillis> BirthTimes(const PopulationOptions& options, Random& random) {
  std::vector<UtcMillis> times;
  const double each_day = options.births_per_day * static_cast<double>(options.node_count);
  if (each_day <= 0) return times;
  UtcMillis next = options.start + Days(random.Exponential(1 / each_day));
  while (next < options.start + options.span && times.size() < options.node_count) {
    times.push_back(next);
    next += Days(random.Exponential(1 / each_day));
  }
  return times;
}

}  // namespace

GeoPoint ChoosePosition(const Town& town, Site site, Random& random) {
  const bool high = site == Site::kSummit || site == Site::kRidge;
  const double spread = high ? 0.8 : town.radius_km;
  const GeoPoint& around = high ? town.summit : town.centre;
  return Shifted(around, random.Normal() * spread, random.Normal() * spread);
}

std::vector<std::size_t> InhabitedTowns(const Terrain& terrain) {
  std::vector<std::size_t> towns;
  for (std::size_t t = 0; t < terrain.towns.size(); ++t) {
    if (!terrain.towns[t].ridge) towns.push_back(t);
  }
  return towns;
}

Node BuildRidgeRepeater(const Terrain& terrain, std::size_t town, std::size_t number, UtcMillis appears,
                        const PopulationOptions& options, Random& random) {
  return BuildNewcomer(terrain, town, true, number, appears, options, random);
}

Node BuildNewcomer(const Terrain& terrain, std::size_t town, bool pioneer, std::size_t number,
                   UtcMillis appears, const PopulationOptions& options, Random& random) {
  Node node = pioneer ? BuildNode(terrain, town, {}, number, random)
                      : BuildNode(terrain, std::nullopt, {town}, number, random);
  node.appears = appears;
  AssignFirmwareOfNewcomer(node, options, random);
  return node;
}

std::vector<Node> BuildPopulation(const Terrain& terrain, const PopulationOptions& options, Random random) {
  std::vector<Node> nodes;
  const std::vector<std::size_t> inhabited = InhabitedTowns(terrain);
  for (std::size_t i = 0; i < options.node_count; ++i) {
    if (i < terrain.towns.size()) {
      nodes.push_back(BuildNode(terrain, i, inhabited, i, random));
    } else {
      nodes.push_back(BuildNode(terrain, std::nullopt, inhabited, i, random));
    }
  }
  std::vector<NodeIndex> relays, others;
  for (NodeIndex i = 0; i < nodes.size(); ++i) (nodes[i].relays ? relays : others).push_back(i);
  AssignFirmware(nodes, relays, options, random);
  AssignFirmware(nodes, others, options, random);

  Random of_newcomers = random.Fork(1);
  for (const UtcMillis appears : BirthTimes(options, of_newcomers)) {
    Node node = BuildNode(terrain, std::nullopt, inhabited, nodes.size(), of_newcomers);
    node.appears = appears;
    AssignFirmwareOfNewcomer(node, options, of_newcomers);
    nodes.push_back(std::move(node));
  }
  ChooseContacts(nodes, terrain.regions.size(), random);
  MakePrefixesCollide(nodes, options.colliding_prefixes, random.Fork(2));
  return nodes;
}

}  // namespace heliograph::meshsim
