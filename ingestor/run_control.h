#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "ingestor/pipeline.h"
#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Starts the sources and ends them in good order while the writer works in another thread: when a stop is
/// requested, or the sources are at their end, it stops them, closes the pipeline's intake, and lets the
/// writer drain it. When that takes too long after a request to stop, it gives up: the pipeline is stopped,
/// and what is left stays uncommitted.
class RunControl {
 public:
  /// All arguments outlive the object. `stop_requested` is set by others, at any time.
  RunControl(const std::vector<std::unique_ptr<Source>>& sources, Pipeline& pipeline,
             const std::atomic<bool>& stop_requested, bool until_end, std::chrono::seconds drain_limit);
  /// Gives up if the writer has not finished, and returns when all sources have ended.
  ~RunControl();
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  /// Set when the writer must end although the pipeline is not drained.
  const std::atomic<bool>& give_up() const { return give_up_; }

  /// The writer has ended. Returns when the sources have, too.
  void Finish();

 private:
  void Watch();
  bool AllAtEnd() const;
  void EndSources();
  void GiveUp();

  const std::vector<std::unique_ptr<Source>>& sources_;
  Pipeline& pipeline_;
  const std::atomic<bool>& stop_requested_;
  const bool until_end_;
  const std::chrono::seconds drain_limit_;
  std::atomic<bool> give_up_ = false, writer_ended_ = false;
  std::thread watcher_;
};

}  // namespace heliograph::ingestor
