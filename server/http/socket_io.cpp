#include "server/http/socket_io.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace heliograph::server {
namespace {

// False when the deadline passed before any of `events` or a failure came.
bool WaitFor(int fd, short events, SteadyTime deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      return false;
    }
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return true;  // the call that follows reports what is wrong
    }
  }
}

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

int UniqueFd::Release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::Reset() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

ReadResult ReadSome(int fd, std::string& buffer, std::size_t max_bytes, SteadyTime deadline) {
  std::array<char, 16 * 1024> block;
  for (;;) {
    const ssize_t count = ::recv(fd, block.data(), std::min(block.size(), max_bytes), MSG_DONTWAIT);
    if (count > 0) {
      buffer.append(block.data(), static_cast<std::size_t>(count));
      return ReadResult::kData;
    }
    if (count == 0) {
      return ReadResult::kEnd;
    }
    if (WouldBlock()) {
      if (!WaitFor(fd, POLLIN, deadline)) {
        return ReadResult::kTimeout;
      }
    } else if (errno != EINTR) {
      return ReadResult::kFailed;
    }
  }
}

bool WriteAll(int fd, std::string_view first, std::string_view second, SteadyTime deadline) {
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> parts{
        {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t count = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      const std::size_t of_first = std::min(first.size(), static_cast<std::size_t>(count));
      first.remove_prefix(of_first);
      second.remove_prefix(static_cast<std::size_t>(count) - of_first);
    } else if (WouldBlock()) {
      if (!WaitFor(fd, POLLOUT, deadline)) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void DrainBeforeClose(int fd) {
  constexpr std::size_t kMostBytes = 256 * 1024;
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  ::shutdown(fd, SHUT_WR);
  std::string dropped;
  for (std::size_t total = 0; total < kMostBytes; total += dropped.size()) {
    dropped.clear();
    if (ReadSome(fd, dropped, kMostBytes, deadline) != ReadResult::kData) {
      break;
    }
  }
}

}  // namespace heliograph::server
