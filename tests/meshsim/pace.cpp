#include "tests/meshsim/pace.h"

#include <algorithm>
#include <ctime>

namespace heliograph::meshsim {

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

StopSignals::~StopSignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignals::WaitFor(std::chrono::milliseconds longest) {
  if (stopped_) return true;
  const auto millis = std::max<std::int64_t>(0, longest.count());
  timespec limit{};
  limit.tv_sec = static_cast<time_t>(millis / 1000);
  limit.tv_nsec = static_cast<long>(millis % 1000 * 1'000'000);
  stopped_ = sigtimedwait(&signals_, nullptr, &limit) > 0;
  return stopped_;
}

std::optional<UtcMillis> InterruptiblePace::Await(UtcMillis due) {
  if (until_look_-- == 0) {
    until_look_ = kMessagesBetweenLooks;
    if (signals_.WaitFor(std::chrono::milliseconds(0))) return std::nullopt;
  }
  return due;
}

std::optional<UtcMillis> WallClockPace::Await(UtcMillis due) {
  UtcMillis now = WallClockNow();
  do {
    if (signals_.WaitFor(due - now)) return std::nullopt;
    now = WallClockNow();
  } while (now < due);
  return now;
}

SpeedPace::SpeedPace(StopSignals& signals, UtcMillis start, double speed)
    : signals_(signals), start_(start), speed_(speed), begin_(std::chrono::steady_clock::now()) {}

std::optional<UtcMillis> SpeedPace::Await(UtcMillis due) {
  const std::chrono::duration<double, std::milli> after(static_cast<double>((due - start_).count()) / speed_);
  const auto wait = begin_ + after - std::chrono::steady_clock::now();
  if (signals_.WaitFor(std::chrono::ceil<std::chrono::milliseconds>(wait))) return std::nullopt;
  return due;
}

}  // namespace heliograph::meshsim
