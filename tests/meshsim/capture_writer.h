#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/meshsim/node_state.h"
#include "tests/meshsim/observer.h"
#include "tests/meshsim/transmission.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// What a line of a capture says that a broker is told.
struct LineParts {
  std::string_view topic;
  std::string_view payload;
};

/// The parts of a line that CaptureWriter wrote, in that line.
LineParts PartsOf(std::string_view line);

/// Writes messages as lines of a capture file, each in the dialect of its observer.
class CaptureWriter {
 public:
  /// Keeps references to its arguments, which must outlive it.
  CaptureWriter(const World& world, const ObserverSet& observers, const NodeStates& states, UtcMillis start,
                Random random);

  /// The line of `message`, with its newline, stamped `received`. Valid until the next call.
  std::string_view Line(const Message& message, UtcMillis received);

 private:
  /// What does not change from line to line of an observer.
  struct Preface {
    std::string topic;   ///< from the end of received_at to the topic's last level
    std::string origin;  ///< the payload from its begin to the timestamp's quote
  };
  void AppendPacket(const Message& message);
  void AppendStatus(const Message& message);
  void AppendRaw(const Message& message);
  void AppendSignal(const Message& message, const Observer& observer);
  void AppendDateAndTime(Dialect dialect, UtcMillis shown);
  void AppendRoute(const Message& message, Dialect dialect);
  void AppendPathText(const Message& message, Dialect dialect);

  const World& world_;
  const ObserverSet& observers_;
  const NodeStates& states_;
  UtcMillis start_;
  Random random_;
  std::vector<Preface> prefaces_;
  std::vector<std::uint64_t> packets_;  ///< published so far, by observer
  std::string line_;
};

}  // namespace heliograph::meshsim
