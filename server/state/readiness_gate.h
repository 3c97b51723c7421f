#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "dbschema/readiness.h"

namespace heliograph::server {

enum class GateState {
  kWaiting,  ///< something is missing that the ingestor will make
  kReady,
  kRefused,  ///< foreign, or newer than this program: waiting does not help
};

/// What /api/readyz answers.
struct GateReport {
  GateState state = GateState::kWaiting;
  int version = 0;                   ///< of the database
  int known_version = 0;             ///< of this program
  std::vector<std::string> missing;  ///< in words; for kRefused the reason
  /// The file could not be read just now (the writer starts, stops or recovers), so nothing was learnt of it.
  bool transient = false;
};

/// Lets the server serve only from a database that has everything it needs. Remembers the last look for those
/// who ask, and never takes it for an answer about now: whoever needs to know assesses or looks again.
/// Thread-safe.
class ReadinessGate {
 public:
  explicit ReadinessGate(std::filesystem::path database) : database_(std::move(database)) {}

  /// Looks at the file now, and remembers nothing: for those who ask, however many.
  GateReport Assess() const;
  /// Looks at the file now, and remembers it. A transient failure does not displace kReady, for the readers
  /// deal with it by themselves.
  GateReport Look();
  /// The last look; kWaiting before the first.
  GateReport Latest() const;
  bool ready() const { return Latest().state == GateState::kReady; }

  /// Looks every `period` until the database is ready (true), or `stop` is requested or the database refused
  /// (false).
  bool WaitUntilReady(std::stop_token stop, std::chrono::milliseconds period = std::chrono::seconds(1));

 private:
  const std::filesystem::path database_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  GateReport latest_;
};

}  // namespace heliograph::server
