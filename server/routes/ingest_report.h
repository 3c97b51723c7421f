#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "common/volume.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A row of `ingest_status`.
struct SourceReport {
  std::string name, kind, address;
  bool connected = false;
  std::optional<UtcMillis> last_connect, last_disconnect, last_receipt;
  std::int64_t connect_count = 0, disconnect_count = 0, received = 0, received_5m = 0, unreadable = 0,
               stalls = 0;
  std::optional<std::string> last_error;
  UtcMillis updated_at{};
};

/// A row of `maintenance_task`.
struct TaskReport {
  std::string name;
  std::int64_t period_s = 0, runs = 0;
  std::optional<UtcMillis> last_start, last_end;
  std::optional<std::string> last_outcome, last_error;
};

/// A row of `process`.
struct ProcessReport {
  std::string role, boot_id, version;
  UtcMillis started_at{};
  std::optional<UtcMillis> stopped_at;
  UtcMillis beat_at{};
};

/// The newest queue file that was not taken as it was meant.
struct FailureReport {
  std::string id;
  std::optional<std::string> kind, reason;
  std::string outcome;
  UtcMillis at{};
};

/// What the ingestor wrote about itself.
struct IngestReport {
  std::vector<SourceReport> sources;             ///< by name
  std::map<std::string, std::int64_t> counters;  ///< for the life of the database
  std::vector<TaskReport> tasks;                 ///< by name
  std::vector<ProcessReport> processes;          ///< by role
  std::optional<FailureReport> last_failure;

  /// The row of a role, or null.
  const ProcessReport* Process(std::string_view role) const;
};

/// Throws as ReaderPool::Read.
IngestReport LoadIngestReport(ReaderPool& readers);

/// What lies in the queue, by the names alone. A folder that cannot be read counts as nothing known.
struct QueueBacklog {
  std::optional<std::int64_t> waiting;  ///< entries of `new`
  std::optional<std::int64_t> failed;   ///< entries of `failed`, without the reasons beside them
};
QueueBacklog CountQueue(const Volume& volume);

}  // namespace heliograph::server
