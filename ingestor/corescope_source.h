#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Called now and then from the source's thread with the highest id of an observation that was read, and that
/// of all.
using CoreScopeProgress = std::function<void(std::uint64_t read, std::uint64_t total)>;

/// The packets of a CoreScope database, as if its observers published them again at the times that it
/// recorded. Each observation becomes the frame that was heard: its own if CoreScope kept it, else the
/// transmission's with the observation's path put in. Observations that have no observer, or whose frame
/// cannot be told, are counted as unreadable. The file is only read.
class CoreScopeSource final : public Source {
 public:
  /// REQUIRED: `file` exists. That it is a CoreScope database is found out by Start's thread, and told by the
  /// status.
  CoreScopeSource(std::filesystem::path file, SourceIndex index, CoreScopeProgress progress = {});
  ~CoreScopeSource() override;
  CoreScopeSource(const CoreScopeSource&) = delete;
  CoreScopeSource& operator=(const CoreScopeSource&) = delete;

  void Start(MessageSink& sink) override;
  void Stop() override;
  bool AtEnd() const override { return at_end_; }
  SourceStatus Status() const override;

 private:
  void Run(MessageSink& sink);
  void ReadAll(MessageSink& sink);

  const std::filesystem::path file_;
  const SourceIndex index_;
  const CoreScopeProgress progress_;
  std::atomic<bool> stopping_ = false, at_end_ = false;
  std::thread thread_;
  mutable std::mutex mutex_;
  SourceStatus status_;
};

}  // namespace heliograph::ingestor
