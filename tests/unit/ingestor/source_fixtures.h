#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Waits until `condition` holds, looking every few milliseconds; false when it does not within `limit`.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// Keeps what it is given. It can be closed (no room) and stopped.
class RecordingSink final : public MessageSink {
 public:
  bool Submit(std::vector<Receipt> batch) override { return Take(std::move(batch), false); }
  bool SubmitAndWait(std::vector<Receipt> batch) override { return Take(std::move(batch), true); }

  /// Holds submissions back until Open.
  void Close() {
    Set([this] { closed_ = true; });
  }
  void Open() {
    Set([this] { closed_ = false; });
  }
  /// Refuses everything from now on, also what waits.
  void Stop() {
    Set([this] { stopped_ = true; });
  }

  std::vector<Receipt> Received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  std::vector<std::string> Payloads() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> payloads;
    for (const Receipt& receipt : received_) payloads.push_back(receipt.payload);
    return payloads;
  }
  std::size_t Count() const {
    const std::lock_guard lock(mutex_);
    return received_.size();
  }
  std::vector<std::size_t> BatchSizes() const {
    const std::lock_guard lock(mutex_);
    return batch_sizes_;
  }
  /// Batches that came through SubmitAndWait.
  std::size_t AwaitedCount() const {
    const std::lock_guard lock(mutex_);
    return awaited_;
  }
  /// Threads that are held back.
  std::size_t WaitingCount() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  bool Take(std::vector<Receipt> batch, bool awaited) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return !closed_ || stopped_; });
    --waiting_;
    if (stopped_) return false;
    batch_sizes_.push_back(batch.size());
    if (awaited) ++awaited_;
    for (Receipt& receipt : batch) received_.push_back(std::move(receipt));
    return true;
  }

  template <typename Change>
  void Set(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false, stopped_ = false;
  std::size_t awaited_ = 0, waiting_ = 0;
  std::vector<Receipt> received_;
  std::vector<std::size_t> batch_sizes_;
};

}  // namespace heliograph::ingestor
