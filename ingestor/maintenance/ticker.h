#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

/// Whether a task has finished its round, and whether the round is worth a record.
enum class StepOutcome { kDone, kMore, kNothingToDo };

/// One piece of housekeeping. A round is as many steps as it takes; between two of them the writer stores
/// packets.
struct MaintenanceTask {
  std::string name;
  std::chrono::seconds period{};
  std::chrono::seconds first_after{};  ///< after the start, so that tasks do not all run at once
  /// Does at most some 50 ms of work in transactions of its own. What it throws ends the round and is
  /// recorded.
  std::function<StepOutcome()> step;
};

/// Runs the tasks when they are due, one step at a time, and records each round in `maintenance_task`. Used
/// by the writer's thread.
class MaintenanceTicker {
 public:
  using Clock = std::chrono::steady_clock;

  MaintenanceTicker(MeshStore& store, std::vector<MaintenanceTask> tasks, Clock::time_point start);

  /// Does one step of a task that is due at `now`, if there is any. Returns true when it did. REQUIRED: no
  /// transaction is open.
  bool RunStep(Clock::time_point now);
  /// One whole round of every task, whatever is due.
  void RunAll();

 private:
  struct Entry {
    MaintenanceTask task;
    Clock::time_point due;
    std::optional<UtcMillis> started;
  };

  StepOutcome Step(Entry& entry);
  void Record(const Entry& entry, const std::string& outcome, const std::optional<std::string>& error);

  MeshStore& store_;
  std::vector<Entry> entries_;
};

}  // namespace heliograph::ingestor
