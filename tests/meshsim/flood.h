#pragma once

#include <limits>
#include <optional>
#include <queue>
#include <vector>

#include "tests/meshsim/node_state.h"
#include "tests/meshsim/propagation.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// Which receptions of a node that listens are told.
enum class Attention : std::uint8_t { kEachReception, kFirstReception };

/// Floods a packet over the mesh: each node that relays, takes the hash size and has not seen the packet yet
/// sends it once more, after a random delay and when it hears nobody else send. Frames of the flood that
/// overlap at a receiver destroy each other there, unless one is stronger by kCaptureDb.
///
/// What chance decides is drawn by who sends and who receives, not by the order of events: the same flood
/// over a mesh that differs in a few nodes differs only where they matter. Not thread-safe; keeps its working
/// memory between floods.
class Flood {
 public:
  /// `listens` says of each node whether its receptions are told. Keeps references to `world` and `states`,
  /// which must outlive it, and looks at them as they are when a flood runs.
  Flood(const World& world, const NodeStates& states, std::vector<std::uint8_t> listens,
        Attention attention = Attention::kEachReception);

  /// The flood that `origin` starts at `start`. With a region, only relays of that region forward.
  void Run(NodeIndex origin, const AirFrame& frame, std::optional<std::size_t> region, UtcMillis start,
           Random& random, Propagation& out);

 private:
  enum class Moment : std::uint8_t { kEnd, kStart };  // what ends makes room for what starts
  struct Event {
    UtcMillis at;
    Moment moment;
    std::uint32_t sending;
    bool operator>(const Event& other) const {
      if (at != other.at) return at > other.at;
      return moment != other.moment ? moment > other.moment : sending > other.sending;
    }
  };
  /// The strongest of what is on the air at a receiver.
  struct Signal {
    UtcMillis until;  ///< when all of it is over
    std::uint32_t sending = kNobody;
    float snr_db = 0;
    bool spoiled = false;
  };
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  void AssignParts(const AirFrame& frame, std::optional<std::size_t> region);
  void Start(const Event& event, const AirFrame& frame, Propagation& out);
  void End(std::uint32_t sending, const AirFrame& frame, Random& random, Propagation& out);
  bool HearsOthers(NodeIndex node, UtcMillis now) const;
  static void Superpose(Signal& signal, std::uint32_t sending, float snr_db, UtcMillis now, UtcMillis until);

  const World& world_;
  const NodeStates& states_;
  std::vector<std::uint8_t> listens_;
  Attention attention_;
  std::uint64_t chance_ = 0;             ///< of this flood
  std::vector<std::uint8_t> parts_;      ///< what each node still does in this flood
  std::vector<Signal> signals_;          ///< by receiver
  std::vector<std::int64_t> waited_ms_;  ///< by sending: for a free channel
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace heliograph::meshsim
