#pragma once

#include <cstdint>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/observer.h"

namespace heliograph::meshsim {

/// One time that a packet went on the air.
struct Sending {
  NodeIndex node = 0;
  std::int32_t heard_from = -1;  ///< the earlier sending that made this node send; -1 for the originator
  std::uint32_t hops = 0;        ///< how many hops lie behind it, its own included
  UtcMillis at;                  ///< when the frame was complete
};

/// One time that a node that is listened to got a sending.
struct Hearing {
  UtcMillis at;
  NodeIndex listener = 0;
  std::uint32_t sending = 0;
  float snr_db = 0;
  bool own = false;  ///< the listener sent it itself
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

/// Appends what observers publish of their own sendings.
void AppendOwnSendings(const ObserverSet& observers, const AirFrame& frame, Propagation& out);

}  // namespace heliograph::meshsim
