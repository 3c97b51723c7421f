#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/firmware.h"
#include "tests/meshsim/node.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// What changes while the mesh lives: nodes fail and come back, firmware is replaced, people sleep.
class Life {
 public:
  /// Keeps a reference to `nodes`, which must outlive it.
  Life(const std::vector<Node>& nodes, UtcMillis start, Random random);

  /// Brings everything up to `now`. REQUIRED: calls go forward in time.
  void AdvanceTo(UtcMillis now);

  bool IsUp(NodeIndex node) const { return up_[node] != 0; }
  Firmware FirmwareOf(NodeIndex node) const { return firmware_[node]; }
  /// The size that the node gives its own packets now.
  std::size_t HashSizeOf(NodeIndex node) const;

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

  const std::vector<Node>& nodes_;
  Random random_;
  std::vector<std::uint8_t> up_;
  std::vector<Firmware> firmware_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace heliograph::meshsim
