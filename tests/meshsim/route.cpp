#include "tests/meshsim/route.h"

#include <algorithm>
#include <unordered_map>

namespace heliograph::meshsim {
namespace {

constexpr float kGoodLink = 0.5F;
constexpr int kAttempts = 2;  // of each hop, for who asks again soon

bool Hears(const LinkTable& links, NodeIndex from, NodeIndex to) {
  const Link* link = links.Find(from, to);
  return link != nullptr && link->probability > kGoodLink;
}

/// What the observers hear of the last sending.
void LetObserversHear(const World& world, const ObserverSet& observers, const NodeStates& states,
                      const AirFrame& frame, Random& random, Propagation& out) {
  const Sending sent = out.sendings.back();
  const auto index = static_cast<std::uint32_t>(out.sendings.size() - 1);
  for (const Link& link : world.links.From(sent.node)) {
    if (observers.by_node[link.to] < 0 || !states[link.to].Takes(frame.hash_size)) continue;
    if (!Arrives(link, random.Bits())) continue;
    out.hearings.push_back({sent.at, link.to, index, static_cast<float>(ReceivedSnr(link, random)), false});
  }
}

bool ReachesNext(const World& world, const NodeStates& states, NodeIndex from, NodeIndex to,
                 std::size_t hash_size, Random& random) {
  if (!states[to].Takes(hash_size)) return false;
  const Link* link = world.links.Find(from, to);
  for (int attempt = 0; link != nullptr && attempt < kAttempts; ++attempt) {
    if (Arrives(*link, random.Bits())) return true;
  }
  return false;
}

}  // namespace

std::optional<Route> FindRoute(const World& world, const NodeStates& states, NodeIndex from, NodeIndex to,
                               std::size_t hash_size) {
  std::unordered_map<NodeIndex, NodeIndex> reached_from{{from, from}};
  std::vector<NodeIndex> queue{from};
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const NodeIndex here = queue[next];
    if (Hears(world.links, here, to)) {
      Route route;
      for (NodeIndex hop = here; hop != from; hop = reached_from.at(hop)) route.push_back(hop);
      std::ranges::reverse(route);
      if (!PathLength::Of(hash_size, route.size())) return std::nullopt;
      return route;
    }
    for (const Link& link : world.links.From(here)) {
      if (link.probability <= kGoodLink || !world.nodes[link.to].relays) continue;
      if (!states[link.to].Takes(hash_size)) continue;
      if (reached_from.emplace(link.to, here).second) queue.push_back(link.to);
    }
  }
  return std::nullopt;
}

void SendAlong(const World& world, const ObserverSet& observers, const NodeStates& states, NodeIndex origin,
               std::span<const NodeIndex> route, const AirFrame& frame, UtcMillis start, Random& random,
               Propagation& out) {
  out.sendings.clear();
  out.hearings.clear();
  const std::chrono::milliseconds step(frame.airtime_ms + 40);
  out.sendings.push_back({origin, -1, 0, start + std::chrono::milliseconds(frame.airtime_ms)});
  LetObserversHear(world, observers, states, frame, random, out);
  for (std::uint32_t i = 0; i < route.size(); ++i) {
    const Sending before = out.sendings.back();
    if (!ReachesNext(world, states, before.node, route[i], frame.hash_size, random)) break;
    out.sendings.push_back({route[i], static_cast<std::int32_t>(i), i + 1, before.at + step});
    LetObserversHear(world, observers, states, frame, random, out);
  }
  AppendOwnSendings(observers, frame, out);
}

}  // namespace heliograph::meshsim
