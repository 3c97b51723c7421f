#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heliograph::ingestor {

/// Cuts a stream of bytes into lines. A line that is too long is counted and left out, and never held in
/// memory.
class LineSplitter {
 public:
  /// REQUIRED: max_line > 0, in bytes without the line end.
  explicit LineSplitter(std::size_t max_line) : max_line_(max_line) {}

  /// Calls `take(line)` for every line that ends in `block`, without its LF or CRLF, empty lines included.
  /// The view is valid during the call. What follows the last line end waits for the next block.
  template <typename Take>
  void Feed(std::string_view block, Take take) {
    while (true) {
      const std::size_t end = block.find('\n');
      if (end == std::string_view::npos) break;
      const std::string_view piece = block.substr(0, end);
      block.remove_prefix(end + 1);
      ++line_number_;
      if (overlong_ || rest_.size() + piece.size() > max_line_ + 1) {
        SkipOverlong();
      } else if (rest_.empty()) {
        TakeLine(piece, take);
      } else {
        rest_ += piece;
        TakeLine(rest_, take);
        rest_.clear();
      }
    }
    if (overlong_) return;
    if (rest_.size() + block.size() > max_line_ + 1) {
      overlong_ = true;
      rest_ = std::string();
    } else {
      rest_ += block;
    }
  }

  /// To be called at the end of the stream: calls `take` with what stands behind the last line end, if that
  /// is anything.
  template <typename Take>
  void Finish(Take take) {
    if (overlong_) {
      ++line_number_;
      SkipOverlong();
    } else if (!rest_.empty()) {
      ++line_number_;
      TakeLine(rest_, take);
    }
    rest_.clear();
  }

  /// Lines that were left out for their length.
  std::uint64_t overlong_lines() const { return overlong_lines_; }
  /// Of the line that was last taken or left out, from 1.
  std::uint64_t line_number() const { return line_number_; }
  /// True while bytes of an unfinished line are held.
  bool HasRest() const { return overlong_ || !rest_.empty(); }

 private:
  template <typename Take>
  void TakeLine(std::string_view line, Take& take) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > max_line_) {
      ++overlong_lines_;
    } else {
      take(line);
    }
  }

  void SkipOverlong() {
    ++overlong_lines_;
    overlong_ = false;
    rest_.clear();
  }

  const std::size_t max_line_;
  std::string rest_;
  bool overlong_ = false;
  std::uint64_t overlong_lines_ = 0;
  std::uint64_t line_number_ = 0;
};

}  // namespace heliograph::ingestor
