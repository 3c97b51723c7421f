#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/ulid.h"

namespace heliograph::server {

/// What one cycle did for one stream of snapshots.
struct StreamReport {
  enum class Result : std::uint8_t {
    kPublished,
    kUnchanged,    ///< the database holds all of it, or the last file said the same
    kPending,      ///< a file of the stream still waits for the ingestor
    kNotComplete,  ///< the packets have not been read to their end yet
    kFailed,       ///< `text` says why; the next cycle tries again
  };
  Result result = Result::kNotComplete;
  std::optional<Ulid> id;  ///< published, or pending
  std::int64_t watermark = 0;
  std::string text;                       ///< one sentence for a person
  std::optional<UtcMillis> ended_at;      ///< by the wall clock; nothing before the first cycle
  std::chrono::milliseconds duration{0};  ///< from its begin to its end
};

/// The same for capability, with its figures.
struct CycleReport : StreamReport {
  bool assessed = false;                                  ///< the figures below are known
  std::size_t confirmed = 0, suspected = 0, unknown = 0;  ///< nodes by computed status
  std::size_t changed = 0;         ///< nodes whose stored state the computed one would change
  bool readiness_changed = false;  ///< the stored readiness would change
  std::chrono::milliseconds readiness_duration{
      0};  ///< the part of the time that readiness took; 0: it was known
};

/// Every result, for those that count them.
inline constexpr std::array kCycleResults = {
    StreamReport::Result::kPublished, StreamReport::Result::kUnchanged, StreamReport::Result::kPending,
    StreamReport::Result::kNotComplete, StreamReport::Result::kFailed};

/// The result in figures and in JSON: "published", "unchanged", "pending", "not_complete", "failed".
std::string_view Name(StreamReport::Result result);

}  // namespace heliograph::server
