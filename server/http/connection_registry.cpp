#include "server/http/connection_registry.h"

#include <sys/socket.h>

namespace heliograph::server {
namespace {

// A client that has just connected, or just got an answer, is about to send; it is not the one to close.
constexpr std::chrono::milliseconds kIdleProtection{100};
constexpr std::chrono::milliseconds kSlowProtection{1000};

SteadyTime::rep NowTicks() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace

void ConnectionRegistry::Member::MarkIdle() {
  since_.store(NowTicks());
  phase_.store(Phase::kIdle);
}

void ConnectionRegistry::Member::MarkSlow() {
  since_.store(NowTicks());
  phase_.store(Phase::kSlow);
}

void ConnectionRegistry::Member::MarkBusy() {
  phase_.store(Phase::kBusy);
}

std::unique_ptr<ConnectionRegistry::Member> ConnectionRegistry::Enter(int fd) {
  const std::lock_guard lock(mutex_);
  ++totals_.accepted;
  if (stopping_.load() || (connections_ >= limits_.max_connections && !EvictLocked())) {
    ++totals_.refused_overload;
    return nullptr;
  }
  std::unique_ptr<Member> member(new Member(fd));
  member->MarkIdle();
  member->place_ = members_.insert(members_.end(), member.get());
  ++connections_;
  return member;
}

void ConnectionRegistry::Leave(Member& member) {
  const std::lock_guard lock(mutex_);
  if (member.stream_) {
    --streams_;
  } else if (member.evicted()) {
    --leaving_;
  } else {
    --connections_;
  }
  members_.erase(member.place_);
  left_.notify_all();
}

bool ConnectionRegistry::BecomeStream(Member& member) {
  const std::lock_guard lock(mutex_);
  if (streams_ >= limits_.max_streams) {
    ++totals_.refused_streams;
    return false;
  }
  if (member.evicted()) {
    return false;
  }
  member.stream_ = true;
  ++streams_;
  --connections_;
  return true;
}

bool ConnectionRegistry::EvictOne() {
  const std::lock_guard lock(mutex_);
  return EvictLocked();
}

bool ConnectionRegistry::EvictLocked() {
  // Threads of evicted connections end at once, but not instantly: bound how many may overlap with their
  // successors.
  if (leaving_ >= limits_.max_connections) {
    return false;
  }
  Member* longest = nullptr;
  Member::Phase longest_phase = Member::Phase::kIdle;
  SteadyTime::duration longest_wait{0};
  for (Member* member : members_) {
    const Member::Phase phase = member->phase_.load();
    if (phase == Member::Phase::kBusy || member->stream_ || member->evicted()) {
      continue;
    }
    const SteadyTime::duration protection = phase == Member::Phase::kIdle
                                                ? SteadyTime::duration(kIdleProtection)
                                                : SteadyTime::duration(kSlowProtection);
    const SteadyTime::duration wait = SteadyTime::duration(NowTicks() - member->since_.load()) - protection;
    if (wait >= longest_wait) {
      longest_wait = wait;
      longest = member;
      longest_phase = phase;
    }
  }
  if (longest == nullptr) {
    return false;
  }
  longest->evicted_.store(true);
  // Only reading ends for an idle one: a request that arrives at this moment is still answered.
  ::shutdown(longest->fd_, longest_phase == Member::Phase::kSlow ? SHUT_RDWR : SHUT_RD);
  --connections_;
  ++leaving_;
  ++totals_.evicted_waiting;
  return true;
}

void ConnectionRegistry::StopAll(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  stopping_.store(true);
  for (const Member* member : members_) {
    const Member::Phase phase = member->phase_.load();
    if (phase != Member::Phase::kBusy) {
      ::shutdown(member->fd_, phase == Member::Phase::kSlow ? SHUT_RDWR : SHUT_RD);
    }
  }
  if (!left_.wait_for(lock, grace, [this] { return members_.empty(); })) {
    for (const Member* member : members_) {
      ::shutdown(member->fd_, SHUT_RDWR);
    }
  }
}

HttpStatistics ConnectionRegistry::statistics() const {
  const std::lock_guard lock(mutex_);
  HttpStatistics statistics = totals_;
  statistics.connections_now = connections_ + leaving_;
  statistics.streams_now = streams_;
  statistics.requests = requests_.load();
  statistics.refused_malformed = malformed_.load();
  return statistics;
}

}  // namespace heliograph::server
