#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "server/http/http_server.h"
#include "server/http/limits.h"
#include "server/http/socket_io.h"

namespace heliograph::server {

/// Knows every open connection, admits new ones within the limits, and ends them from outside. Thread-safe.
class ConnectionRegistry {
 public:
  /// One connection. Its own thread reports what it does; it may be closed from outside while it waits.
  class Member {
   public:
    /// It waits for a request to begin; nothing is lost when it is closed.
    void MarkIdle();
    /// It waits for the client: to send the rest of a request, or to take an answer.
    void MarkSlow();
    /// A handler works; it is left alone.
    void MarkBusy();
    bool evicted() const { return evicted_.load(); }

   private:
    friend class ConnectionRegistry;
    explicit Member(int fd) : fd_(fd) {}
    enum class Phase : std::uint8_t { kIdle, kSlow, kBusy };

    const int fd_;
    std::atomic<Phase> phase_{Phase::kIdle};
    std::atomic<SteadyTime::rep> since_{0};
    std::atomic<bool> evicted_{false};
    bool stream_ = false;                 // under the registry's mutex
    std::list<Member*>::iterator place_;  // under the registry's mutex
  };

  explicit ConnectionRegistry(const HttpLimits& limits) : limits_(limits) {}

  /// Null when there is no room, and no waiting connection to make some. REQUIRED: `fd` stays open until
  /// Leave.
  std::unique_ptr<Member> Enter(int fd);
  /// Forgets the member; afterwards its socket may be closed.
  void Leave(Member& member);
  /// Counts the member as a stream from now on; false when there are too many.
  bool BecomeStream(Member& member);
  /// Ends the connection that has waited longest, if any waits long enough.
  bool EvictOne();

  bool stopping() const { return stopping_.load(); }
  /// Closes what waits, gives the others `grace` to leave, then cuts them.
  void StopAll(std::chrono::milliseconds grace);

  void CountRequest() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void CountMalformed() { malformed_.fetch_add(1, std::memory_order_relaxed); }
  HttpStatistics statistics() const;

 private:
  bool EvictLocked();

  const HttpLimits& limits_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::list<Member*> members_;
  std::size_t connections_ = 0;
  std::size_t leaving_ = 0;  // evicted and not yet gone; not among connections_
  std::size_t streams_ = 0;
  HttpStatistics totals_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> malformed_{0};
};

}  // namespace heliograph::server
