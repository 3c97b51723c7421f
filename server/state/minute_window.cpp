#include "server/state/minute_window.h"

#include <algorithm>

namespace heliograph::server {
namespace {

std::int64_t MinuteOf(UtcMillis time) {
  return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
}

}  // namespace

std::uint32_t& MinuteWindow::BucketOf(std::int64_t minute) {
  const auto size = static_cast<std::int64_t>(buckets_.size());
  return buckets_[static_cast<std::size_t>((minute % size + size) % size)];
}

void MinuteWindow::AdvanceToMinute(std::int64_t minute) {
  if (empty_) {
    newest_ = minute;
    empty_ = false;
    return;
  }
  const auto size = static_cast<std::int64_t>(buckets_.size());
  const std::int64_t first = std::max(newest_ + 1, minute - size + 1);
  for (std::int64_t entering = first; entering <= minute; ++entering) {
    std::uint32_t& bucket = BucketOf(entering);
    sum_ -= bucket;
    bucket = 0;
  }
  newest_ = std::max(newest_, minute);
}

void MinuteWindow::AdvanceTo(UtcMillis now) {
  AdvanceToMinute(MinuteOf(now));
}

void MinuteWindow::Add(UtcMillis time) {
  const std::int64_t minute = MinuteOf(time);
  AdvanceToMinute(minute);
  if (minute <= newest_ - static_cast<std::int64_t>(buckets_.size())) return;
  ++BucketOf(minute);
  ++sum_;
}

}  // namespace heliograph::server
