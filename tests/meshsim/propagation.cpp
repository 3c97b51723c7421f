#include "tests/meshsim/propagation.h"

namespace heliograph::meshsim {

void AppendOwnSendings(const ObserverSet& observers, const AirFrame& frame, Propagation& out) {
  for (std::uint32_t i = 0; i < out.sendings.size(); ++i) {
    const Sending& sent = out.sendings[i];
    const std::int64_t observer = observers.by_node[sent.node];
    if (observer < 0) continue;
    if (!PublishesOwn(observers.observers[static_cast<std::size_t>(observer)], frame.advert && i == 0))
      continue;
    out.hearings.push_back({sent.at, sent.node, i, 0, true});
  }
}

}  // namespace heliograph::meshsim
