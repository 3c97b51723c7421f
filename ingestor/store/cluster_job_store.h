#pragma once

#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_job.h"
#include "ingestor/clusters/lineage.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// The rows of jobs. Used by the writer's thread, inside its transaction.
class ClusterJobStore {
 public:
  explicit ClusterJobStore(SQLite::Database& database) : database_(database) {}

  /// Writes the job as the server tells it. False when it is finished already, and stays as it is.
  bool Put(const ClusterJob& job, const std::string& instance);

  /// Ends a job whose run was applied, or found to say what is known. Its statistics, a JSON object, are
  /// added to those that the server gave. Does nothing when the job is not known, or finished.
  void Succeed(const std::string& job, std::optional<RunKey> run, const std::string& statistics,
               UtcMillis now);
  void Fail(const std::string& job, const std::string& error, UtcMillis now);

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
