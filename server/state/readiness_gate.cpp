#include "server/state/readiness_gate.h"

#include <system_error>

namespace heliograph::server {
namespace {

dbschema::Readiness Inspect(const std::filesystem::path& file) {
  std::error_code error;
  // A file that is not there is told apart from one that cannot be opened.
  if (!std::filesystem::exists(file, error)) return dbschema::AssessReadiness(file);
  SQLite::Database database = dbschema::OpenForReading(file);
  return dbschema::AssessReadiness(database);
}

}  // namespace

GateReport ReadinessGate::Assess() const {
  GateReport report;
  report.known_version = dbschema::KnownVersion();
  try {
    const dbschema::Readiness readiness = Inspect(database_);
    report.version = readiness.version;
    report.missing = readiness.missing;
    report.state = readiness.newer     ? GateState::kRefused
                   : readiness.ready() ? GateState::kReady
                                       : GateState::kWaiting;
    if (readiness.newer) {
      report.missing.insert(report.missing.begin(),
                            "the database has version " + std::to_string(readiness.version) +
                                ", this program knows " + std::to_string(readiness.known_version) +
                                ": upgrade heliograph-server");
    }
  } catch (const dbschema::ForeignDatabase& error) {
    report.state = GateState::kRefused;
    report.missing = {error.what()};
  } catch (const SQLite::Exception& error) {
    report.transient = dbschema::IsTransient(error);
    report.missing = {"database " + database_.string() + " (" + error.what() + ")"};
  }
  return report;
}

GateReport ReadinessGate::Look() {
  GateReport report = Assess();
  const std::lock_guard lock(mutex_);
  if (!report.transient || latest_.state != GateState::kReady) latest_ = report;
  return report;
}

GateReport ReadinessGate::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

bool ReadinessGate::WaitUntilReady(std::stop_token stop, std::chrono::milliseconds period) {
  while (!stop.stop_requested()) {
    const GateState state = Look().state;
    if (state != GateState::kWaiting) return state == GateState::kReady;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, period, [] { return false; });
  }
  return false;
}

}  // namespace heliograph::server
