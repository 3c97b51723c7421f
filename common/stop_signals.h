#pragma once

#include <csignal>
#include <ctime>

namespace heliograph {

/// SIGTERM and SIGINT, kept from every thread that is started while this lives, so that only Take sees them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// True when one came within a fifth of a second.
  bool Take() {
    constexpr timespec kPatience{0, 200'000'000};
    return sigtimedwait(&signals_, nullptr, &kPatience) > 0;
  }

 private:
  sigset_t signals_{}, before_{};
};

}  // namespace heliograph
