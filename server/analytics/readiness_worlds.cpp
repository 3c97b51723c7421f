#include "server/analytics/readiness_worlds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace heliograph::server {
namespace {

constexpr std::size_t kPathBytes = 64;
constexpr std::uint32_t kCountableHops = 63;

// How far, in log odds, the probabilities of all nodes may be off together: of those with evidence, and of
// the others when nobody has any.
constexpr double kErrorOfEvidence = 0.3;
constexpr double kErrorOfIgnorance = 1.5;
constexpr double kNodesThatTell = 10;  // with evidence, from which on the mesh tells what is usual in it
constexpr double kMostCertain = 0.99999;

double ErrorOfIgnorance(const ReadinessInput& input) {
  const auto known = static_cast<double>(
      std::count_if(input.nodes.begin(), input.nodes.end(),
                    [](const ReadinessNode& node) { return node.advertises && node.has_evidence; }));
  return std::hypot(kErrorOfEvidence, kErrorOfIgnorance / std::sqrt(1 + known / kNodesThatTell));
}

/// The point below which a normal variable stays with this probability, by halving.
double NormalQuantile(double probability) {
  double low = -8, high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// A number in [0, 1).
double Unit(WorldRandom& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

/// What all odds are multiplied with in each world, when they may be off by `error` together.
std::array<double, kWorlds> OddsFactors(double error) {
  std::array<double, kWorlds> factors{};
  for (std::size_t world = 0; world < kWorlds; ++world)
    factors[world] = std::exp(error * NormalQuantile((static_cast<double>(world) + 0.5) / kWorlds));
  return factors;
}

}  // namespace

std::uint32_t MostHops(std::size_t hash_size) {
  return std::min(kCountableHops, static_cast<std::uint32_t>(kPathBytes / hash_size));
}

std::vector<Worlds> DrawCapability(const ReadinessInput& input, WorldRandom& random) {
  const std::array evident = OddsFactors(kErrorOfEvidence), ignorant = OddsFactors(ErrorOfIgnorance(input));
  std::vector<Worlds> capable(input.nodes.size(), 0);
  for (std::size_t i = 0; i < input.nodes.size(); ++i) {
    if (input.nodes[i].present_size >= 2) {
      capable[i] = kEveryWorld;
      continue;
    }
    const double probability = std::clamp(input.nodes[i].capable, 1 - kMostCertain, kMostCertain);
    const double odds = probability / (1 - probability);
    const auto& factors = input.nodes[i].has_evidence ? evident : ignorant;
    for (std::size_t world = 0; world < kWorlds; ++world) {
      const double here = odds * factors[world];
      if (Unit(random) < here / (1 + here)) capable[i] |= Worlds{1} << world;
    }
  }
  return capable;
}

FloodStart FloodToday(const ReadinessInput& input, GraphNode origin) {
  const std::size_t size = input.nodes[origin].present_size;
  FloodStart flood;
  flood.origin = origin;
  flood.multibyte = size >= 2 ? kEveryWorld : 0;
  flood.max_hops = MostHops(1);
  flood.max_multibyte_hops = MostHops(std::max<std::size_t>(size, 2));
  return flood;
}

FloodStart FloodAfter(const ReadinessInput& input, GraphNode origin, std::size_t hash_size,
                      const std::vector<Worlds>& capable) {
  FloodStart flood = FloodToday(input, origin);
  flood.multibyte |= capable[origin];
  flood.max_multibyte_hops = MostHops(std::max<std::size_t>(input.nodes[origin].present_size, hash_size));
  return flood;
}

std::vector<GraphNode> DrawOrigins(const ReadinessInput& input, std::size_t most, WorldRandom& random) {
  std::vector<GraphNode> origins;
  for (GraphNode i = 0; i < input.nodes.size(); ++i)
    if (input.nodes[i].advertises) origins.push_back(i);
  // The standard's shuffle may differ from one library to another.
  for (std::size_t i = origins.size(); i > 1; --i) std::swap(origins[i - 1], origins[random() % i]);
  if (origins.size() > most) origins.resize(most);
  return origins;
}

std::vector<bool> RelaysOf(const ReadinessInput& input) {
  std::vector<bool> relays;
  relays.reserve(input.nodes.size());
  for (const ReadinessNode& node : input.nodes) relays.push_back(node.relays);
  return relays;
}

}  // namespace heliograph::server
