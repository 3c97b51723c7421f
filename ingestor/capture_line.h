#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// Reads lines of capture files: `{"received_at":…,"topic":…,"payload":…}`, where the payload is the JSON
/// object that was published, or a string that holds its text. Keeps its buffers from line to line: one
/// instance for each thread.
class CaptureLineReader {
 public:
  CaptureLineReader();
  ~CaptureLineReader();
  CaptureLineReader(const CaptureLineReader&) = delete;
  CaptureLineReader& operator=(const CaptureLineReader&) = delete;

  /// The message of the line, with `source` left at its default. Nothing when the line is no JSON object in
  /// UTF-8, when one of the three members is missing or of another type, or when `received_at` is no time
  /// (see ParseTime; one without a zone is UTC). A `received_at` later than `now` is replaced by it.
  /// `retained`, if it is true, is passed on.
  std::optional<Receipt> Read(std::string_view line, UtcMillis now);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace heliograph::ingestor
