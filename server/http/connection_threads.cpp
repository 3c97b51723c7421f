#include "server/http/connection_threads.h"

#include <system_error>
#include <utility>

namespace heliograph::server {

bool ConnectionThreads::Run(std::function<void()> task) {
  Threads ended;
  bool accepted = false;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
    if (!stopping_) {
      tasks_.push_back(std::move(task));
      accepted = tasks_.size() <= resting_ || Spawn();
      if (!accepted) {
        tasks_.pop_back();
      }
    }
  }
  task_or_stop_.notify_one();
  for (std::thread& thread : ended) {
    thread.join();
  }
  return accepted;
}

bool ConnectionThreads::Spawn() {
  const auto self = running_.emplace(running_.end());
  try {
    *self = std::thread([this, self] { Work(self); });
    return true;
  } catch (const std::system_error&) {
    running_.erase(self);
    return false;
  }
}

void ConnectionThreads::Work(Threads::iterator self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++resting_;
    const bool woken = task_or_stop_.wait_for(lock, kRest, [this] { return !tasks_.empty() || stopping_; });
    --resting_;
    if (!woken || tasks_.empty()) {
      break;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
  ended_.splice(ended_.end(), running_, self);
  thread_ended_.notify_all();
}

void ConnectionThreads::Join() {
  Threads ended;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    task_or_stop_.notify_all();
    thread_ended_.wait(lock, [this] { return running_.empty(); });
    ended.swap(ended_);
  }
  for (std::thread& thread : ended) {
    thread.join();
  }
}

std::size_t ConnectionThreads::count() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

}  // namespace heliograph::server
