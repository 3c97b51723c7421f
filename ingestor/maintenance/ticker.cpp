#include "ingestor/maintenance/ticker.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

MaintenanceTicker::MaintenanceTicker(MeshStore& store, std::vector<MaintenanceTask> tasks,
                                     Clock::time_point start)
    : store_(store) {
  for (MaintenanceTask& task : tasks) {
    const auto due = start + task.first_after;
    entries_.push_back({std::move(task), due, std::nullopt});
  }
}

bool MaintenanceTicker::RunStep(Clock::time_point now) {
  const auto next = std::min_element(entries_.begin(), entries_.end(),
                                     [](const Entry& a, const Entry& b) { return a.due < b.due; });
  if (next == entries_.end() || next->due > now) return false;
  if (Step(*next) == StepOutcome::kDone) next->due = now + next->task.period;
  return true;
}

void MaintenanceTicker::RunAll() {
  for (Entry& entry : entries_) {
    while (Step(entry) == StepOutcome::kMore) {
    }
  }
}

StepOutcome MaintenanceTicker::Step(Entry& entry) {
  if (!entry.started) entry.started = WallClockNow();
  try {
    const StepOutcome outcome = entry.task.step();
    if (outcome == StepOutcome::kMore) return outcome;
    if (outcome == StepOutcome::kDone) Record(entry, "done", std::nullopt);
  } catch (const std::exception& error) {
    spdlog::error("Maintenance task {} failed and is tried again in {} s: {}", entry.task.name,
                  entry.task.period.count(), error.what());
    Record(entry, "failed", std::string(error.what()));
  }
  entry.started.reset();
  return StepOutcome::kDone;
}

void MaintenanceTicker::Record(const Entry& entry, const std::string& outcome,
                               const std::optional<std::string>& error) {
  try {
    SQLite::Statement record(
        store_.database(),
        "INSERT INTO maintenance_task(name, period_s, runs, last_start, last_end, last_outcome,"
        " last_error) VALUES (?,?,1,?,?,?,?) ON CONFLICT(name) DO UPDATE SET"
        " period_s=excluded.period_s, runs=runs+1, last_start=excluded.last_start,"
        " last_end=excluded.last_end, last_outcome=excluded.last_outcome,"
        " last_error=excluded.last_error");
    RowBinder(record)
        .Text(entry.task.name)
        .Integer(entry.task.period.count())
        .Time(entry.started)
        .Time(WallClockNow())
        .Text(outcome)
        .Text(error)
        .Run();
  } catch (const SQLite::Exception& failure) {
    spdlog::error("The end of maintenance task {} could not be recorded: {}", entry.task.name,
                  failure.what());
  }
}

}  // namespace heliograph::ingestor
