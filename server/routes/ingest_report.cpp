#include "server/routes/ingest_report.h"

#include <algorithm>
#include <filesystem>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::string_view kReasonEnding = ".reason";

std::vector<SourceReport> ReadSources(ReaderConnection& reader) {
  Statement& row = reader.Prepared(
      "SELECT source, kind, address, connected, last_connect, last_disconnect, last_receipt, connect_count, "
      "disconnect_count, received, received_5m, unreadable, stalls, last_error, updated_at "
      "FROM ingest_status ORDER BY source");
  std::vector<SourceReport> sources;
  while (row.executeStep()) {
    SourceReport source;
    source.name = row.getColumn(0).getString();
    source.kind = row.getColumn(1).getString();
    source.address = row.getColumn(2).getString();
    source.connected = row.getColumn(3).getInt() != 0;
    source.last_connect = OptionalTimeOf(row.getColumn(4));
    source.last_disconnect = OptionalTimeOf(row.getColumn(5));
    source.last_receipt = OptionalTimeOf(row.getColumn(6));
    source.connect_count = row.getColumn(7).getInt64();
    source.disconnect_count = row.getColumn(8).getInt64();
    source.received = row.getColumn(9).getInt64();
    source.received_5m = row.getColumn(10).getInt64();
    source.unreadable = row.getColumn(11).getInt64();
    source.stalls = row.getColumn(12).getInt64();
    source.last_error = TextOf(row.getColumn(13));
    source.updated_at = TimeOf(row.getColumn(14));
    sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<TaskReport> ReadTasks(ReaderConnection& reader) {
  Statement& row = reader.Prepared(
      "SELECT name, period_s, runs, last_start, last_end, last_outcome, last_error FROM maintenance_task "
      "ORDER BY name");
  std::vector<TaskReport> tasks;
  while (row.executeStep()) {
    TaskReport task;
    task.name = row.getColumn(0).getString();
    task.period_s = row.getColumn(1).getInt64();
    task.runs = row.getColumn(2).getInt64();
    task.last_start = OptionalTimeOf(row.getColumn(3));
    task.last_end = OptionalTimeOf(row.getColumn(4));
    task.last_outcome = TextOf(row.getColumn(5));
    task.last_error = TextOf(row.getColumn(6));
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<ProcessReport> ReadProcesses(ReaderConnection& reader) {
  Statement& row = reader.Prepared(
      "SELECT role, boot_id, version, started_at, stopped_at, beat_at FROM process ORDER BY role");
  std::vector<ProcessReport> processes;
  while (row.executeStep()) {
    ProcessReport process;
    process.role = row.getColumn(0).getString();
    process.boot_id = row.getColumn(1).getString();
    process.version = row.getColumn(2).getString();
    process.started_at = TimeOf(row.getColumn(3));
    process.stopped_at = OptionalTimeOf(row.getColumn(4));
    process.beat_at = TimeOf(row.getColumn(5));
    processes.push_back(std::move(process));
  }
  return processes;
}

std::map<std::string, std::int64_t> ReadCounters(ReaderConnection& reader) {
  Statement& row = reader.Prepared("SELECT name, value FROM ingest_counter");
  std::map<std::string, std::int64_t> counters;
  while (row.executeStep()) counters[row.getColumn(0).getString()] = row.getColumn(1).getInt64();
  return counters;
}

std::optional<FailureReport> ReadLastFailure(ReaderConnection& reader) {
  // Bounded by the newest rows: a failure that thousands of files were applied after is no news.
  Statement& row = reader.Prepared(
      "SELECT id, kind, reason, outcome, applied_at FROM "
      "(SELECT * FROM ledger ORDER BY applied_at DESC LIMIT 1000) "
      "WHERE outcome IN ('rejected', 'conflict', 'wrong_epoch') ORDER BY applied_at DESC LIMIT 1");
  if (!row.executeStep()) return std::nullopt;
  FailureReport failure;
  failure.id = row.getColumn(0).getString();
  failure.kind = TextOf(row.getColumn(1));
  failure.reason = TextOf(row.getColumn(2));
  failure.outcome = row.getColumn(3).getString();
  failure.at = TimeOf(row.getColumn(4));
  return failure;
}

std::optional<std::int64_t> CountEntries(const std::filesystem::path& folder) {
  std::error_code error;
  std::int64_t entries = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != kReasonEnding) ++entries;
  }
  if (error) return std::nullopt;
  return entries;
}

}  // namespace

const ProcessReport* IngestReport::Process(std::string_view role) const {
  const auto found = std::find_if(processes.begin(), processes.end(),
                                  [role](const ProcessReport& process) { return process.role == role; });
  return found == processes.end() ? nullptr : &*found;
}

IngestReport LoadIngestReport(ReaderPool& readers) {
  return readers.Read([](ReaderConnection& reader) {
    IngestReport report;
    report.sources = ReadSources(reader);
    report.counters = ReadCounters(reader);
    report.tasks = ReadTasks(reader);
    report.processes = ReadProcesses(reader);
    report.last_failure = ReadLastFailure(reader);
    return report;
  });
}

QueueBacklog CountQueue(const Volume& volume) {
  return {CountEntries(volume.queue_new()), CountEntries(volume.queue_failed())};
}

}  // namespace heliograph::server
