#include "tests/meshsim/flood.h"

namespace heliograph::meshsim {
namespace {

/// Source: MeshCore firmware, simple_repeater getRetransmitDelay: up to five slots of half the airtime.
std::int64_t RetransmitDelayMillis(std::int64_t airtime_ms, Random& random) {
  return static_cast<std::int64_t>(random.Below(6)) * airtime_ms / 2 + 20 + random.Below(30);
}

}  // namespace

Flood::Flood(const World& world, const ObserverSet& observers, const Life& life)
    : world_(world), observers_(observers), life_(life), seen_in_(world.nodes.size(), 0) {}

void Flood::Run(NodeIndex origin, const AirFrame& frame, std::optional<std::size_t> region, UtcMillis start,
                Random& random, Propagation& out) {
  out.sendings.clear();
  out.hearings.clear();
  ++flood_number_;
  seen_in_[origin] = flood_number_;
  out.sendings.push_back({origin, -1, 0, start + std::chrono::milliseconds(frame.airtime_ms)});
  turns_.push({out.sendings[0].at, 0});
  while (!turns_.empty()) {
    const std::uint32_t sending = turns_.top().sending;
    turns_.pop();
    AppendHearings(observers_, life_, frame, sending, random, out);
    LetRelaysHear(sending, frame, region, random, out);
  }
}

void Flood::LetRelaysHear(std::uint32_t sending, const AirFrame& frame, std::optional<std::size_t> region,
                          Random& random, Propagation& out) {
  const Sending sent = out.sendings[sending];
  if (!PathHasRoom(frame.hash_size, sent.hops)) return;
  for (const Link& link : world_.relay_links.From(sent.node)) {
    if (seen_in_[link.to] == flood_number_) continue;
    if (!life_.IsUp(link.to) || !Accepts(life_.FirmwareOf(link.to), frame.hash_size)) continue;
    if (region && world_.nodes[link.to].region != *region) continue;
    if (!Arrives(link, random)) continue;
    seen_in_[link.to] = flood_number_;
    const auto wait = RetransmitDelayMillis(frame.airtime_ms, random) + frame.airtime_ms;
    const UtcMillis at = sent.at + std::chrono::milliseconds(wait);
    turns_.push({at, static_cast<std::uint32_t>(out.sendings.size())});
    out.sendings.push_back({link.to, static_cast<std::int32_t>(sending), sent.hops + 1, at});
  }
}

}  // namespace heliograph::meshsim
