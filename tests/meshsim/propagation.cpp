#include "tests/meshsim/propagation.h"

namespace heliograph::meshsim {

void AppendHearings(const ObserverSet& observers, const Life& life, const AirFrame& frame,
                    std::uint32_t sending, Random& random, Propagation& out) {
  const Sending sent = out.sendings[sending];
  const std::int64_t self = observers.by_node[sent.node];
  if (self >= 0) {
    const auto& observer = observers.observers[static_cast<std::size_t>(self)];
    if (PublishesOwn(observer, frame.advert && sent.heard_from < 0)) {
      out.hearings.push_back({sent.at, static_cast<std::uint32_t>(self), sending, 0, true});
    }
  }
  for (const Link& link : observers.links.From(sent.node)) {
    const NodeIndex node = observers.observers[link.to].node;
    if (!life.IsUp(node) || !Accepts(life.FirmwareOf(node), frame.hash_size)) continue;
    if (!Arrives(link, random)) continue;
    const auto snr = static_cast<float>(ReceivedSnr(link, random));
    out.hearings.push_back({sent.at, link.to, sending, snr, false});
  }
}

}  // namespace heliograph::meshsim
