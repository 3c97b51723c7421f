#include "server/state/flood_lane.h"

#include <utility>

namespace heliograph::server {

FloodLane::FloodLane(std::function<void(const Flood&)> take)
    : take_(std::move(take)), thread_([this] { Run(); }) {}

FloodLane::~FloodLane() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void FloodLane::Put(Flood&& flood) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = waiting_.empty();
    waiting_.push_back(std::move(flood));
  }
  if (was_empty) changed_.notify_one();
}

void FloodLane::Finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void FloodLane::Run() {
  std::vector<Flood> floods;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      floods.clear();
      floods.swap(waiting_);
    }
    try {
      for (const Flood& flood : floods)
        if (!failure_) take_(flood);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
}

}  // namespace heliograph::server
