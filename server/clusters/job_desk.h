#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/cluster_job.h"
#include "common/cluster_snapshot.h"
#include "server/history/branch_line.h"

namespace heliograph::server {

/// What somebody, or the schedule, wants to be computed.
struct ClusterJobOrder {
  BranchLine line;  ///< that the run begins from and goes to; as it is when the job begins
  ClusterCollection collection = ClusterCollection::kMesh;
  ClusterJobKind kind = ClusterJobKind::kRun;
  ClusterJobTrigger trigger = ClusterJobTrigger::kRequest;
  std::string parameters = "{}";  ///< a JSON object; what it lacks is as configured
  std::string requested_by;
};

/// A job with what only this process knows of it.
struct ClusterJobView {
  ClusterJob job;
  std::string branch;   ///< its name
  std::string stage;    ///< what is being done: "partition"
  double progress = 0;  ///< 0 to 1
  bool rerun = false;   ///< another one is asked for after it
};

struct JobSubmission {
  ClusterJobView job;
  bool coalesced = false;  ///< a job that does the same was waiting or running already: it is this one
};

enum class CancelOutcome { kCancelled, kUnknown, kFinished, kTooLate };

/// Where jobs are asked for. Jobs that differ in branch, collection, kind or parameters are different jobs.
/// Thread-safe.
class ClusterJobDesk {
 public:
  virtual ~ClusterJobDesk() = default;
  /// Returns once the job is durable in the queue. Throws ProblemError as RequestPublisher::Publish, 400 when
  /// it cannot be carried out as it is asked for, and 503 when too many wait.
  virtual JobSubmission Submit(const ClusterJobOrder& order) = 0;
  /// kTooLate: its run is published, and will be applied.
  virtual CancelOutcome Cancel(const Ulid& job) = 0;
  /// Jobs of this process: all that are not finished, and the newest of the finished ones; the newest first.
  virtual std::vector<ClusterJobView> Jobs() const = 0;
};

/// Where a computation says how far it is. Thread-safe.
class JobProgress {
 public:
  void Report(std::string stage, double share) {
    const std::lock_guard lock(mutex_);
    stage_ = std::move(stage);
    share_ = share;
  }
  std::pair<std::string, double> Latest() const {
    const std::lock_guard lock(mutex_);
    return {stage_, share_};
  }

 private:
  mutable std::mutex mutex_;
  std::string stage_;
  double share_ = 0;
};

/// What came of a computation: a run to be published, or just figures.
struct ClusterJobResult {
  std::optional<ClusterSnapshot> snapshot;
  std::string epoch;              ///< of the database that the snapshot was computed from
  std::int64_t base_seq = 0;      ///< head of the branch when what it begins from was read
  std::string statistics = "{}";  ///< a JSON object
};

/// Computes what the order asks for; the error says why that cannot be done. Looks at `stop` now and then,
/// and may return anything once a stop was requested. Called from one thread at a time.
using ComputeClusters = std::function<tl::expected<ClusterJobResult, std::string>(
    const ClusterJobOrder& order, JobProgress& progress, std::stop_token stop)>;

}  // namespace heliograph::server
