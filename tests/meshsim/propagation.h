#pragma once

#include <cstdint>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/life.h"
#include "tests/meshsim/observer.h"

namespace heliograph::meshsim {

/// One time that a packet went on the air.
struct Sending {
  NodeIndex node = 0;
  std::int32_t heard_from = -1;  ///< the earlier sending that made this node send; -1 for the originator
  std::uint32_t hops = 0;        ///< how many hops lie behind it, its own included
  UtcMillis at;                  ///< when the frame was complete
};

/// One time that an observer got to know of a sending.
struct Hearing {
  UtcMillis at;
  std::uint32_t observer = 0;
  std::uint32_t sending = 0;
  float snr_db = 0;
  bool own = false;  ///< the observer sent it itself
};

/// What became of one packet on the air.
struct Propagation {
  std::vector<Sending> sendings;  ///< the first is the originator's
  std::vector<Hearing> hearings;
};

/// What a sending depends on apart from who sends.
struct AirFrame {
  std::size_t hash_size = 1;
  std::int64_t airtime_ms = 0;
  bool advert = false;
};

/// Appends what the observers hear of the sending with this index.
void AppendHearings(const ObserverSet& observers, const Life& life, const AirFrame& frame,
                    std::uint32_t sending, Random& random, Propagation& out);

}  // namespace heliograph::meshsim
