#pragma once

#include <cstdint>
#include <vector>

#include "common/time.h"

namespace heliograph::server {

/// Counts events of the last so many minutes of data time, by whole minutes: the minute of the newest moment
/// is the last of them. Not thread-safe.
class MinuteWindow {
 public:
  /// REQUIRED: minutes > 0.
  explicit MinuteWindow(std::size_t minutes) : buckets_(minutes) {}

  /// Counts one event. Events before the window are ignored; later ones move it.
  void Add(UtcMillis time);
  /// Moves the window so that it ends with the minute of `now`; never back.
  void AdvanceTo(UtcMillis now);
  std::int64_t sum() const { return sum_; }

 private:
  std::uint32_t& BucketOf(std::int64_t minute);
  void AdvanceToMinute(std::int64_t minute);

  std::vector<std::uint32_t> buckets_;
  std::int64_t newest_ = 0;
  bool empty_ = true;
  std::int64_t sum_ = 0;
};

}  // namespace heliograph::server
