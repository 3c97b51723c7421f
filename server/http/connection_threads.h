#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace heliograph::server {

/// Threads for connections: a task gets a resting thread, or a new one, at once. A thread that rests for
/// kRest ends. The number of tasks is bounded by whoever hands them in. Thread-safe.
class ConnectionThreads {
 public:
  static constexpr std::chrono::seconds kRest{10};

  ConnectionThreads() = default;
  /// Joins.
  ~ConnectionThreads() { Join(); }
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  /// False, without having run or kept `task`, when the system gives no further thread or after Join. `task`
  /// must not throw.
  bool Run(std::function<void()> task);
  /// Returns when every task has ended.
  void Join();
  std::size_t count() const;

 private:
  using Threads = std::list<std::thread>;

  void Work(Threads::iterator self);
  bool Spawn();

  mutable std::mutex mutex_;
  std::condition_variable task_or_stop_;
  std::condition_variable thread_ended_;
  std::deque<std::function<void()>> tasks_;
  std::size_t resting_ = 0;
  bool stopping_ = false;
  Threads running_;
  Threads ended_;  // to be joined
};

}  // namespace heliograph::server
