#include "tests/meshsim/route.h"

#include <algorithm>
#include <unordered_map>

namespace heliograph::meshsim {
namespace {

constexpr float kGoodLink = 0.5F;
constexpr int kAttempts = 2;  // of each hop, for who asks again soon

bool Hears(const LinkTable& links, NodeIndex from, NodeIndex to) {
  return std::ranges::any_of(
      links.From(from), [to](const Link& link) { return link.to == to && link.probability > kGoodLink; });
}

bool ReachesNext(const World& world, const Life& life, NodeIndex from, NodeIndex to, std::size_t hash_size,
                 Random& random) {
  if (!life.IsUp(to) || !Accepts(life.FirmwareOf(to), hash_size)) return false;
  for (const Link& link : world.links.From(from)) {
    if (link.to != to) continue;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (Arrives(link, random)) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Route> FindRoute(const World& world, const Life& life, NodeIndex from, NodeIndex to,
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
    for (const Link& link : world.relay_links.From(here)) {
      if (link.probability <= kGoodLink || !life.IsUp(link.to)) continue;
      if (!Accepts(life.FirmwareOf(link.to), hash_size)) continue;
      if (reached_from.emplace(link.to, here).second) queue.push_back(link.to);
    }
  }
  return std::nullopt;
}

void SendAlong(const World& world, const ObserverSet& observers, const Life& life, NodeIndex origin,
               std::span<const NodeIndex> route, const AirFrame& frame, UtcMillis start, Random& random,
               Propagation& out) {
  out.sendings.clear();
  out.hearings.clear();
  const std::chrono::milliseconds step(frame.airtime_ms + 40);
  out.sendings.push_back({origin, -1, 0, start + std::chrono::milliseconds(frame.airtime_ms)});
  AppendHearings(observers, life, frame, 0, random, out);
  for (std::uint32_t i = 0; i < route.size(); ++i) {
    const Sending before = out.sendings.back();
    if (!ReachesNext(world, life, before.node, route[i], frame.hash_size, random)) return;
    out.sendings.push_back({route[i], static_cast<std::int32_t>(i), i + 1, before.at + step});
    AppendHearings(observers, life, frame, i + 1, random, out);
  }
}

}  // namespace heliograph::meshsim
