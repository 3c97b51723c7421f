#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "tests/meshsim/propagation.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// Floods a packet over the mesh: each node that relays, is up, accepts the hash size and has not seen the
/// packet yet sends it once more after a random delay. Not thread-safe; keeps its working memory between
/// floods.
class Flood {
 public:
  /// Keeps references to its arguments, which must outlive it.
  Flood(const World& world, const ObserverSet& observers, const Life& life);

  /// The flood that `origin` starts at `start`. With a region, only relays of that region forward.
  void Run(NodeIndex origin, const AirFrame& frame, std::optional<std::size_t> region, UtcMillis start,
           Random& random, Propagation& out);

 private:
  struct Turn {
    UtcMillis at;
    std::uint32_t sending;
    bool operator>(const Turn& other) const {
      return at != other.at ? at > other.at : sending > other.sending;
    }
  };
  void LetRelaysHear(std::uint32_t sending, const AirFrame& frame, std::optional<std::size_t> region,
                     Random& random, Propagation& out);

  const World& world_;
  const ObserverSet& observers_;
  const Life& life_;
  std::vector<std::uint32_t> seen_in_;  ///< the number of the last flood that reached the node
  std::uint32_t flood_number_ = 0;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace heliograph::meshsim
