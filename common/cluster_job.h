#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/cluster_snapshot.h"
#include "common/time.h"
#include "common/ulid.h"

namespace heliograph {

enum class ClusterJobState : std::uint8_t { kPending, kRunning, kSucceeded, kFailed, kCancelled };
/// "pending", "running", "succeeded", "failed", "cancelled".
std::string_view Name(ClusterJobState state);
std::optional<ClusterJobState> ParseClusterJobState(std::string_view name);
/// True when nothing comes after it.
bool IsFinished(ClusterJobState state);

enum class ClusterJobKind : std::uint8_t {
  kRun,               ///< a run with the resolution that is chosen
  kChooseResolution,  ///< finds the resolution whose partitions are the most stable
};
/// "run", "choose-resolution".
std::string_view Name(ClusterJobKind kind);
std::optional<ClusterJobKind> ParseClusterJobKind(std::string_view name);

enum class ClusterJobTrigger : std::uint8_t { kRequest, kSchedule };
/// "request", "schedule".
std::string_view Name(ClusterJobTrigger trigger);
std::optional<ClusterJobTrigger> ParseClusterJobTrigger(std::string_view name);

/// The payload of a `cluster-job`: a job as the server sees it. A job whose run is published ends with the
/// application of that run; for every other end the server publishes one of these.
struct ClusterJob {
  Ulid id;
  ClusterCollection collection{};
  ClusterJobKind kind{};
  ClusterJobState state{};
  ClusterJobTrigger trigger{};
  /// The number of the branch that it runs on. Here and not in the file's header: how a job ended is to be
  /// recorded though its branch is gone.
  std::int64_t branch = 1;
  std::string requested_by;
  std::string parameters = "{}";  ///< a JSON object
  UtcMillis requested_at{};
  std::optional<UtcMillis> started_at;
  std::optional<UtcMillis> finished_at;  ///< present exactly when the state is a finished one
  std::string statistics = "{}";         ///< a JSON object
  std::string error;                     ///< not empty exactly for kFailed; as ClusterJobError gives it

  bool operator==(const ClusterJob&) const = default;
};

/// The reason of a failure as a job may carry it: valid UTF-8 of at most 2000 bytes, cut where it is longer,
/// and never empty.
std::string ClusterJobError(std::string_view reason);

std::string EncodeClusterJob(const ClusterJob& job);

/// The job, or what is wrong with the text, in words for a person.
tl::expected<ClusterJob, std::string> DecodeClusterJob(std::string_view json);

}  // namespace heliograph
