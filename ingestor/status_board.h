#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingestor/receipt.h"
#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

/// Since when a source has not been connected, as an earlier process wrote; nothing when it was never
/// connected, or the source named another address. After a kill it is some seconds too early, which says too
/// much rather than too little. REQUIRED: no StatusBoard of this process has written yet.
std::optional<UtcMillis> AwaySince(MeshStore& store, const std::string& source, const std::string& address);

/// The ingestor's own state, written where the server can read it, at most every 5 s. Used by the writer's
/// thread.
class StatusBoard {
 public:
  using Clock = std::chrono::steady_clock;

  /// Writes nothing yet, for the disk may be full at this moment.
  StatusBoard(MeshStore& store, std::string boot_id, UtcMillis started_at);

  bool IsDue(Clock::time_point now) const { return now >= due_; }
  /// Writes the state of the sources, the counters and the beat of the process. The first time it also
  /// forgets the sources of the earlier process, and counts its end when it was not in good order. REQUIRED:
  /// no transaction is open.
  void Write(const std::vector<SourceStatus>& sources, Clock::time_point now);
  /// The same, and that the process ends now.
  void WriteLast(const std::vector<SourceStatus>& sources, Clock::time_point now);

 private:
  void TakeOver();
  void WriteRows(const std::vector<SourceStatus>& sources, Clock::time_point now, bool stopping);
  std::int64_t ReceivedLately(const SourceStatus& source, Clock::time_point now);

  struct Sample {
    Clock::time_point at;
    std::uint64_t received;
  };

  MeshStore& store_;
  std::string boot_id_;
  UtcMillis started_at_;
  bool took_over_ = false;
  Clock::time_point due_{};
  std::map<std::string, std::deque<Sample>> samples_;
};

}  // namespace heliograph::ingestor
