#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace heliograph::server {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Owns a file descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release();
  void Reset();

 private:
  int fd_ = -1;
};

enum class ReadResult { kData, kEnd, kTimeout, kFailed };

/// Appends what has arrived to `buffer`, at most `max_bytes`, waiting for it until `deadline`. kEnd: the peer
/// sends no more, or this side was shut down for reading.
ReadResult ReadSome(int fd, std::string& buffer, std::size_t max_bytes, SteadyTime deadline);

/// Sends both texts, one after the other, without a copy. False when the peer is gone or `deadline` passed
/// first.
bool WriteAll(int fd, std::string_view first, std::string_view second, SteadyTime deadline);

/// To be called before closing a connection whose peer may still be sending: ends the sending side, then
/// reads and drops until the peer closes, for a second and a quarter of a MiB at most. A close with unread
/// input resets the connection and may erase the answer.
void DrainBeforeClose(int fd);

}  // namespace heliograph::server
