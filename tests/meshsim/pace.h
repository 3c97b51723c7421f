#pragma once

#include <chrono>
#include <csignal>
#include <optional>

#include "common/time.h"

namespace heliograph::meshsim {

/// When a line may be written, and which time it is stamped with.
class Pace {
 public:
  virtual ~Pace() = default;
  /// The stamp of the message that is due at `due`; nothing when the run shall end.
  virtual std::optional<UtcMillis> Await(UtcMillis due) = 0;
};

/// As fast as can be, with the simulated time.
class SimulatedPace : public Pace {
 public:
  std::optional<UtcMillis> Await(UtcMillis due) override { return due; }
};

/// Ends on SIGINT and SIGTERM. While it lives these are blocked in the calling thread, so that they are asked
/// for and never interrupt.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  /// Waits this long for a signal; true when one came, now or in an earlier call.
  bool WaitFor(std::chrono::milliseconds longest);

 private:
  sigset_t signals_{}, before_{};
  bool stopped_ = false;
};

/// As fast as can be until a signal comes.
class InterruptiblePace : public Pace {
 public:
  explicit InterruptiblePace(StopSignals& signals) : signals_(signals) {}
  std::optional<UtcMillis> Await(UtcMillis due) override;

 private:
  static constexpr unsigned kMessagesBetweenLooks = 4096;
  StopSignals& signals_;
  unsigned until_look_ = 0;
};

/// When the wall clock shows the simulated time, stamped with the wall clock, until a signal comes.
class WallClockPace : public Pace {
 public:
  explicit WallClockPace(StopSignals& signals) : signals_(signals) {}
  std::optional<UtcMillis> Await(UtcMillis due) override;

 private:
  StopSignals& signals_;
};

/// The simulated time, which runs so many times faster than the wall clock, until a signal comes.
class SpeedPace : public Pace {
 public:
  /// The simulated time is `start` now.
  SpeedPace(StopSignals& signals, UtcMillis start, double speed);
  std::optional<UtcMillis> Await(UtcMillis due) override;

 private:
  StopSignals& signals_;
  UtcMillis start_;
  double speed_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace heliograph::meshsim
