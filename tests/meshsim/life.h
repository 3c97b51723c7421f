#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/node.h"
#include "tests/meshsim/node_state.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// What changes while the mesh lives: nodes fail and come back, firmware is replaced, people sleep.
class Life {
 public:
  Life(const std::vector<Node>& nodes, UtcMillis start, Random random);

  /// Brings everything up to `now`. REQUIRED: calls go forward in time.
  void AdvanceTo(UtcMillis now);

  const NodeStates& states() const { return states_; }

  /// How busy people are at this hour, around 1.
  static double Activity(UtcMillis now);

 private:
  enum class Change : std::uint8_t { kFails, kReturns, kUpgrades };
  struct Event {
    UtcMillis at;
    NodeIndex node;
    Change change;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : node != other.node ? node > other.node : change > other.change;
    }
  };
  void Apply(const Event& event);

  Random random_;
  NodeStates states_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace heliograph::meshsim
