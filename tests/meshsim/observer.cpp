#include "tests/meshsim/observer.h"

#include <algorithm>
#include <array>

namespace heliograph::meshsim {
namespace {

constexpr std::array kDialectWeights = {0.30, 0.25, 0.20, 0.10, 0.10, 0.05};
static_assert(kDialectWeights.size() == kDialects);
constexpr std::array kModels = {"Heltec V3", "RAK 4631", "Station G2", "T-Beam Supreme", "Xiao nRF52"};

/// The nodes of one region in the order in which they become observers.
std::vector<NodeIndex> CandidatesOf(const World& world, std::size_t region, Random& random) {
  std::vector<NodeIndex> relays, listeners, mixed;
  for (NodeIndex i = 0; i < world.nodes.size(); ++i) {
    if (world.nodes[i].region != region || world.nodes[i].appears) continue;
    (world.nodes[i].relays ? relays : listeners).push_back(i);
  }
  random.Shuffle(relays);
  random.Shuffle(listeners);
  while (!relays.empty() || !listeners.empty()) {
    auto& wanted = mixed.size() % 5 < 3 ? relays : listeners;
    auto& source = wanted.empty() ? (relays.empty() ? listeners : relays) : wanted;
    mixed.push_back(source.back());
    source.pop_back();
  }
  return mixed;
}

std::int64_t ChooseClockOffsetMillis(Random& random) {
  if (random.Chance(0.9)) return static_cast<std::int64_t>(random.Normal() * 400);
  return static_cast<std::int64_t>(random.Normal() * 90'000);
}

Observer MakeObserver(NodeIndex node, Random random) {
  Observer observer;
  observer.node = node;
  observer.dialect = static_cast<Dialect>(random.Weighted(kDialectWeights));
  observer.clock_offset_ms = ChooseClockOffsetMillis(random);
  observer.zone_hours = random.Chance(0.8) ? -8 : 0;
  observer.two_brokers = random.Chance(0.15);
  observer.model = random.Pick(kModels);
  return observer;
}

}  // namespace

ObserverSet ChooseObservers(const World& world, std::size_t count, Random random) {
  std::vector<std::vector<NodeIndex>> candidates;
  for (std::size_t r = 0; r < world.terrain.regions.size(); ++r) {
    candidates.push_back(CandidatesOf(world, r, random));
  }
  ObserverSet set;
  set.by_node.assign(world.nodes.size(), -1);
  std::size_t most = 0;
  for (const auto& region : candidates) most += region.size();
  count = std::min(count, most);
  for (std::size_t turn = 0; set.observers.size() < count; ++turn) {
    for (auto& region : candidates) {
      if (turn >= region.size() || set.observers.size() == count) continue;
      set.by_node[region[turn]] = static_cast<std::int64_t>(set.observers.size());
      set.observers.push_back(MakeObserver(region[turn], random.Fork(region[turn])));
    }
  }
  return set;
}

std::vector<std::uint8_t> ListenersOf(const ObserverSet& set) {
  std::vector<std::uint8_t> listens;
  for (const std::int64_t observer : set.by_node) listens.push_back(observer >= 0 ? 1 : 0);
  return listens;
}

bool PublishesOwn(const Observer& observer, bool own_advert) {
  switch (observer.dialect) {
    case Dialect::kMeshcoreToMqtt:
    case Dialect::kPyMc:
      return true;
    case Dialect::kFirmwareBridge:
      return own_advert;
    default:
      return false;
  }
}

}  // namespace heliograph::meshsim
