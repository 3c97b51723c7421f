#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <vector>

#include "common/time.h"
#include "server/analytics/flood.h"
#include "server/analytics/reception.h"

namespace heliograph::server {

/// Puts the observations of one flood together. They come close to each other in the stream, mixed with those
/// of other floods; a flood is handed on when nothing more of it is to be expected. Bounded: one that comes
/// back later is handed on once more. Not thread-safe.
class FloodWindow {
 public:
  struct Limits {
    std::chrono::milliseconds age{90'000};  ///< in data time, since its first observation
    std::size_t floods = 4096;              ///< open at a time; above it the oldest goes
    std::size_t steps = 512;                ///< of one flood; more are left out, and so for hearings
  };
  using Sink = std::function<void(Flood&&)>;

  explicit FloodWindow(Sink sink) : FloodWindow(std::move(sink), Limits()) {}
  FloodWindow(Sink sink, Limits limits) : sink_(std::move(sink)), limits_(limits) {}

  /// Takes a reception in; what is no flood is passed by. Hands on floods that are past the limits.
  void Add(const Reception& reception);
  /// Hands on all that is open and was not touched since the last call.
  void HandOnIdle();
  /// Hands on all that is open.
  void HandOnAll();

  std::size_t open_count() const { return open_.size(); }
  /// Those that are open, as they are so far. Valid until the next call that is not const.
  std::vector<const Flood*> OpenFloods() const;

 private:
  struct Open {
    Flood flood;
    std::uint64_t touched = 0;
  };
  void HandOnFront();

  const Sink sink_;
  const Limits limits_;
  std::list<Open> open_;  ///< in the order of their first observations
  std::unordered_map<std::int64_t, std::list<Open>::iterator> by_key_;  ///< transmission and hash size
  std::uint64_t round_ = 1;
  UtcMillis newest_{};
};

}  // namespace heliograph::server
