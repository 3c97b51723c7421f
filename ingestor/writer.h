#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include "ingestor/apply/queue_applier.h"
#include "ingestor/maintenance/ticker.h"
#include "ingestor/pipeline.h"
#include "ingestor/status_board.h"
#include "ingestor/store/mesh_store.h"
#include "queue/watch.h"

namespace heliograph::ingestor {

/// The one thread that writes: it stores what the pipeline prepared, in batches, and between two batches it
/// applies what the server handed over, does a step of housekeeping, and reports on itself.
class Writer {
 public:
  struct Options {
    std::chrono::milliseconds commit_interval{100};
    std::size_t commit_size = 10'000;  ///< messages
  };
  struct Parts {
    MeshStore& store;
    Pipeline& pipeline;
    QueueApplier& applier;
    queue::InboxWatch& watch;
    MaintenanceTicker& ticker;
    StatusBoard& board;
    std::function<std::vector<SourceStatus>()> sources;
  };

  Writer(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {}

  /// Runs until the pipeline is drained (its intake was closed, or it was stopped) and everything that it
  /// gave is committed. What the database does not take now is tried again, with growing pauses and between
  /// other work, until `give_up` is set; then it is left uncommitted, which its sources learn. Returns how
  /// many messages that were.
  std::size_t Run(const std::atomic<bool>& give_up);

 private:
  using Clock = std::chrono::steady_clock;

  void Gather();
  void StoreGathered(Clock::time_point now);
  bool StoreAll();
  /// One message that breaks a rule of the database must not keep the others out. False when the database
  /// itself fails.
  bool StoreOneByOne();
  void KeepHouse(Clock::time_point now);
  std::size_t GatheredMessages() const;
  void LookIntoQueue(Clock::time_point now);

  Parts parts_;
  Options options_;
  std::vector<PreparedBatch> gathered_;  ///< given by the pipeline and not committed yet
  unsigned failures_ = 0;                ///< in a row, of storing them
  Clock::time_point store_again_{};
  Clock::time_point queue_due_{};
};

}  // namespace heliograph::ingestor
