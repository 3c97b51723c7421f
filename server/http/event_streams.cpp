#include "server/http/event_streams.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace heliograph::server {
namespace {

using std::chrono::steady_clock;

// What the kernel may hold for one client that does not read.
constexpr int kSendBufferBytes = 64 * 1024;
constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

UniqueFd Opened(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return UniqueFd(fd);
}

}  // namespace

EventStreams::EventStreams(const HttpLimits& limits, ConnectionRegistry& registry)
    : limits_(limits),
      registry_(registry),
      epoll_(Opened(::epoll_create1(EPOLL_CLOEXEC), "epoll for event streams")),
      wake_(Opened(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd for event streams")) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll for event streams");
}

EventStreams::~EventStreams() {
  Stop();
}

void EventStreams::Adopt(UniqueFd socket, std::unique_ptr<ConnectionRegistry::Member> member,
                         std::string head, std::shared_ptr<EventSource> source) {
  Stream stream;
  stream.socket = std::move(socket);
  stream.member = std::move(member);
  stream.pending = std::move(head);
  stream.source = std::move(source);
  stream.progress = steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
      newcomers_.push_back(std::move(stream));
      Wake();
      return;
    }
  }
  registry_.Leave(*stream.member);
}

void EventStreams::Stop() {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ending.swap(thread_);
  }
  Wake();
  if (ending.joinable()) ending.join();
}

void EventStreams::Wake() {
  const std::uint64_t one = 1;
  // Cannot fail: the counter of an eventfd is far from its end.
  static_cast<void>(::write(wake_.get(), &one, sizeof one) == sizeof one);
}

void EventStreams::Run() {
  for (;;) {
    HandleEvents();
    TakeNewcomers();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    const SteadyTime now = steady_clock::now();
    if (!asked_for_more_ && now < next_round_) continue;
    next_round_ = now + kPeriod;
    AskAll(now);
  }
  TakeNewcomers();
  for (auto& [fd, stream] : streams_) Close(stream);
  streams_.clear();
}

void EventStreams::TakeNewcomers() {
  std::vector<Stream> newcomers;
  {
    const std::lock_guard lock(mutex_);
    newcomers.swap(newcomers_);
  }
  for (Stream& newcomer : newcomers) {
    const int fd = newcomer.socket.get();
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    epoll_event event{};
    event.events = kGone;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      Close(newcomer);
      continue;
    }
    streams_.insert_or_assign(fd, std::move(newcomer));
    asked_for_more_ = true;
  }
}

void EventStreams::HandleEvents() {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), PatienceMs());
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_.get()) {
      std::uint64_t wakes = 0;
      static_cast<void>(::read(wake_.get(), &wakes, sizeof wakes) == sizeof wakes);
      continue;
    }
    const auto found = streams_.find(event.data.fd);
    if (found == streams_.end()) continue;
    const bool goes_on = (event.events & kGone) == 0 && Advance(found->second, steady_clock::now());
    if (goes_on) continue;
    Close(found->second);
    streams_.erase(found);
  }
}

int EventStreams::PatienceMs() const {
  // Without streams there is nothing to ask, and a newcomer wakes.
  if (streams_.empty()) return -1;
  if (asked_for_more_) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_round_ - steady_clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kPeriod).count());
}

void EventStreams::AskAll(SteadyTime now) {
  asked_for_more_ = false;
  for (auto entry = streams_.begin(); entry != streams_.end();) {
    if (Advance(entry->second, now)) {
      ++entry;
    } else {
      Close(entry->second);
      entry = streams_.erase(entry);
    }
  }
}

bool EventStreams::Advance(Stream& stream, SteadyTime now) {
  if (stream.pending.empty() && !Fill(stream, now)) return false;
  if (!Flush(stream, now)) return false;
  if (!stream.pending.empty()) return now - stream.progress < limits_.write_timeout;
  return !stream.ended;
}

bool EventStreams::Fill(Stream& stream, SteadyTime now) {
  if (stream.ended) return false;
  stream.progress = now;
  try {
    stream.ended = !stream.source->Append(stream.pending, now);
  } catch (const std::exception&) {
    // A client that is cut off comes again with its cursor; one without further events would never know.
    return false;
  }
  // One piece at a time, so that a client that catches up does not keep the others waiting.
  asked_for_more_ = asked_for_more_ || !stream.pending.empty();
  return true;
}

bool EventStreams::Flush(Stream& stream, SteadyTime now) {
  while (stream.sent < stream.pending.size()) {
    const ssize_t count = ::send(stream.socket.get(), stream.pending.data() + stream.sent,
                                 stream.pending.size() - stream.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (count <= 0) {
      Watch(stream, true);
      return true;
    }
    stream.sent += static_cast<std::size_t>(count);
    stream.progress = now;
  }
  stream.pending.clear();
  stream.sent = 0;
  Watch(stream, false);
  return true;
}

void EventStreams::Watch(Stream& stream, bool for_room) {
  if (stream.waits_for_room == for_room) return;
  stream.waits_for_room = for_room;
  epoll_event event{};
  event.events = kGone | (for_room ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.fd = stream.socket.get();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, stream.socket.get(), &event);
}

void EventStreams::Close(Stream& stream) {
  registry_.Leave(*stream.member);
  stream.socket.Reset();
}

}  // namespace heliograph::server
