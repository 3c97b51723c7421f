#include "ingestor/writer.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include "common/failpoint.h"

namespace heliograph::ingestor {
namespace {

// How long the writer waits for packets before it looks for other work; bounds the time until a queue file is
// seen.
constexpr std::chrono::milliseconds kIdleWait{20};
// The watch may miss, so the folder is read anyway.
constexpr std::chrono::seconds kQueueRescan{2};
constexpr std::chrono::milliseconds kRetryPause{500};
constexpr std::chrono::milliseconds kLongestPause{10'000};

}  // namespace

std::size_t Writer::Run(const std::atomic<bool>& give_up) {
  while (!give_up && (!parts_.pipeline.IsDrained() || !gathered_.empty())) {
    if (gathered_.empty()) Gather();
    StoreGathered(Clock::now());
    KeepHouse(Clock::now());
  }
  return GatheredMessages();
}

std::size_t Writer::GatheredMessages() const {
  return std::accumulate(
      gathered_.begin(), gathered_.end(), std::size_t{0},
      [](std::size_t sum, const PreparedBatch& batch) { return sum + batch.messages().size(); });
}

void Writer::Gather() {
  std::size_t messages = 0;
  Clock::time_point commit_due{};
  while (true) {
    auto wait = kIdleWait;
    if (!gathered_.empty()) {
      // Whoever waits for the commit is not kept waiting for company that is not there yet.
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(commit_due - Clock::now());
      wait =
          parts_.pipeline.WaiterPresent() ? std::chrono::milliseconds(0) : std::max(left, decltype(left)(0));
    }
    auto batch = parts_.pipeline.Next(wait);
    if (!batch) return;
    if (gathered_.empty()) commit_due = Clock::now() + options_.commit_interval;
    messages += batch->messages().size();
    gathered_.push_back(std::move(*batch));
    if (messages >= options_.commit_size || Clock::now() >= commit_due) return;
  }
}

void Writer::StoreGathered(Clock::time_point now) {
  if (gathered_.empty()) return;
  if (now < store_again_) {
    std::this_thread::sleep_for(kIdleWait);
    return;
  }
  if (StoreAll()) {
    if (failures_ > 0) spdlog::info("Packets can be stored again");
    failures_ = 0;
    for (PreparedBatch& batch : gathered_) batch.Committed();
    gathered_.clear();
    return;
  }
  const auto pause = std::min(kLongestPause, kRetryPause * (1 << std::min(failures_, 5U)));
  ++failures_;
  store_again_ = Clock::now() + pause;
}

bool Writer::StoreAll() {
  try {
    StoreTransaction transaction(parts_.store);
    for (const PreparedBatch& batch : gathered_)
      for (const Prepared& message : batch.messages()) parts_.store.Take(message);
    HELIOGRAPH_FAILPOINT(kPacketsBeforeCommit);
    transaction.Commit();
  } catch (const std::exception& error) {
    const auto* sqlite = dynamic_cast<const SQLite::Exception*>(&error);
    if (sqlite != nullptr && sqlite->getErrorCode() == SQLITE_CONSTRAINT) return StoreOneByOne();
    spdlog::error("{} messages cannot be stored now, and are kept until they can: {}. Is the disk full?",
                  GatheredMessages(), error.what());
    return false;
  }
  HELIOGRAPH_FAILPOINT(kPacketsAfterCommit);
  return true;
}

bool Writer::StoreOneByOne() {
  for (const PreparedBatch& batch : gathered_) {
    for (const Prepared& message : batch.messages()) {
      try {
        StoreTransaction transaction(parts_.store);
        parts_.store.Take(message);
        transaction.Commit();
      } catch (const SQLite::Exception& error) {
        // What is stored already is a duplicate when the batch is tried again.
        if (error.getErrorCode() != SQLITE_CONSTRAINT) return false;
        spdlog::error("A message breaks a rule of the database and is left out: {}", error.what());
      }
    }
  }
  return true;
}

void Writer::KeepHouse(Clock::time_point now) {
  // Also while packets cannot be stored: what makes room again is done here.
  try {
    LookIntoQueue(now);
    parts_.ticker.RunStep(now);
    if (parts_.board.IsDue(now)) parts_.board.Write(parts_.sources(), now);
  } catch (const SQLite::Exception& error) {
    spdlog::error("The state of the ingestor cannot be written now: {}", error.what());
  }
}

void Writer::LookIntoQueue(Clock::time_point now) {
  const bool rung = parts_.watch.Drain();
  if (!rung && now < queue_due_) return;
  queue_due_ = now + kQueueRescan;
  // Files that wait for another try are looked at again before the rescan.
  const auto report = parts_.applier.Run();
  if (report.waiting > 0) queue_due_ = now + kRetryPause;
  if (report.unfinished) queue_due_ = now;
}

}  // namespace heliograph::ingestor
