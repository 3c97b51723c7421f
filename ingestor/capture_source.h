#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <tl/expected.hpp>

#include "ingestor/capture_line.h"
#include "ingestor/line_splitter.h"
#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Bytes of a capture that were read, and how many there are: 0 when nobody can tell, as for a pipe.
using CaptureProgress = std::function<void(std::uint64_t read, std::uint64_t total)>;

/// A capture file, or standard input: JSON lines as CaptureLineReader reads them. It is read once, to the end
/// that it has when the reader gets there. Lines that are no message are counted (SourceStatus::unreadable),
/// the first few are logged, and reading goes on. A last line without a line end counts when it can be read;
/// otherwise the capture was cut there, and the status says so.
class CaptureSource final : public Source {
 public:
  struct Options {
    std::size_t batch_lines = 512;
    std::size_t batch_bytes = 1 << 20;     ///< of payloads; a longer line is a batch of its own
    std::size_t max_line_bytes = 1 << 20;  ///< a longer line is unreadable
    std::size_t block_bytes = 1 << 20;
    CaptureProgress progress;  ///< called from the source's thread after each block
  };

  /// Opens `path`, or takes standard input for "-". An error, for a person, when it can't be opened or is a
  /// folder.
  static tl::expected<std::unique_ptr<CaptureSource>, std::string> Open(const std::filesystem::path& path,
                                                                        SourceIndex index, Options options);
  /// Reads from `descriptor`, which it closes when `owned`; `name` is what the status shows.
  CaptureSource(int descriptor, bool owned, std::string name, SourceIndex index, Options options);
  ~CaptureSource() override;
  CaptureSource(const CaptureSource&) = delete;
  CaptureSource& operator=(const CaptureSource&) = delete;

  void Start(MessageSink& sink) override;
  void Stop() override;
  /// True once everything is handed over to the sink, and after Stop.
  bool AtEnd() const override { return at_end_; }
  SourceStatus Status() const override;

 private:
  enum class Input { kData, kEnd, kStopped, kNothingYet };

  void Run(MessageSink& sink);
  /// Waits until the descriptor has something to read; does not wait when `blocking` is false.
  Input AwaitInput(bool blocking);
  void TakeLine(std::string_view line, MessageSink& sink);
  void FinishLastLine(MessageSink& sink);
  void CountOverlong();
  void CountUnreadable(const std::string& problem);
  bool Flush(MessageSink& sink);
  void Fail(const std::string& error);

  const int descriptor_;
  const bool owned_;
  const std::string name_;
  const SourceIndex index_;
  const Options options_;
  std::uint64_t total_bytes_ = 0;
  int wake_descriptor_ = -1;

  LineSplitter splitter_;
  CaptureLineReader line_reader_;
  std::vector<Receipt> batch_;
  std::size_t batch_bytes_ = 0;
  UtcMillis now_{};
  std::uint64_t overlong_seen_ = 0;
  bool refused_ = false;  ///< the sink takes nothing any more

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> at_end_ = false;
  std::thread thread_;
  mutable std::mutex status_mutex_;
  SourceStatus status_;
};

}  // namespace heliograph::ingestor
