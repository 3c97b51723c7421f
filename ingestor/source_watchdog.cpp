#include "ingestor/source_watchdog.h"

#include <algorithm>

namespace heliograph::ingestor {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A source that connects by itself gets this many times the threshold before it is helped.
constexpr int kPatienceWithDisconnection = 5;

/// FNV-1a, so that a source has the same place in the minute after every start.
milliseconds Jitter(std::string_view tag, milliseconds threshold) {
  std::uint32_t hash = 2166136261U;
  for (const char c : tag) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  const milliseconds spread = std::min<milliseconds>(seconds(60), threshold);
  return milliseconds(hash % std::max<std::uint32_t>(static_cast<std::uint32_t>(spread.count()), 1));
}

}  // namespace

SourceWatchdog::SourceWatchdog(const Options& options, std::string_view tag, Clock::time_point now)
    : options_(options),
      jitter_(Jitter(tag, options.disconnection)),
      changed_at_(now),
      told_at_(now),
      reconnect_gap_(options.first_reconnect_gap) {}

void SourceWatchdog::OnConnected(Clock::time_point now) {
  if (connected_) return;
  connected_ = true;
  changed_at_ = now;
}

void SourceWatchdog::OnDisconnected(Clock::time_point now) {
  if (!connected_) return;
  silence_before_ += now - changed_at_;
  connected_ = false;
  changed_at_ = now;
}

void SourceWatchdog::OnReceived(Clock::time_point now) {
  ever_received_ = true;
  received_since_check_ = true;
  silence_before_ = Clock::duration(0);
  if (connected_) changed_at_ = now;
}

SourceWatchdog::Clock::duration SourceWatchdog::Silence(Clock::time_point now) const {
  return silence_before_ + (connected_ ? now - changed_at_ : Clock::duration(0));
}

WatchdogVerdict SourceWatchdog::Check(Clock::time_point now) {
  WatchdogVerdict verdict;
  const SourceAlarm before = alarm_;
  const Clock::duration silence = Silence(now);
  if (connected_ && silence >= options_.silence) {
    alarm_ = ever_received_ ? SourceAlarm::kSilent : SourceAlarm::kNeverReceived;
    verdict.lasting = duration_cast<seconds>(silence);
  } else if (!connected_ && now - changed_at_ >= options_.disconnection) {
    alarm_ = SourceAlarm::kDisconnected;
    verdict.lasting = duration_cast<seconds>(now - changed_at_);
  } else if (before == SourceAlarm::kDisconnected ? connected_ : received_since_check_) {
    alarm_ = SourceAlarm::kNone;
  }
  received_since_check_ = false;
  verdict.alarm = alarm_;
  verdict.recovered = before != SourceAlarm::kNone && alarm_ == SourceAlarm::kNone;
  verdict.raised = alarm_ != SourceAlarm::kNone && alarm_ != before;
  if (alarm_ == SourceAlarm::kNone) {
    reconnect_gap_ = options_.first_reconnect_gap;
    return verdict;
  }
  verdict.reminder = !verdict.raised && now - told_at_ >= options_.reminder;
  if (verdict.raised || verdict.reminder) told_at_ = now;
  verdict.reconnect = ReconnectIsDue(now);
  return verdict;
}

bool SourceWatchdog::ReconnectIsDue(Clock::time_point now) {
  if (!connected_ && (alarm_ != SourceAlarm::kDisconnected ||
                      now - changed_at_ < kPatienceWithDisconnection * options_.disconnection + jitter_)) {
    return false;
  }
  if (last_reconnect_ && now - *last_reconnect_ < reconnect_gap_) return false;
  if (last_reconnect_) {
    reconnect_gap_ = std::min<Clock::duration>(2 * reconnect_gap_, options_.last_reconnect_gap);
  }
  last_reconnect_ = now;
  return true;
}

std::string_view Name(SourceAlarm alarm) {
  switch (alarm) {
    case SourceAlarm::kNone:
      return "none";
    case SourceAlarm::kNeverReceived:
      return "never_received";
    case SourceAlarm::kSilent:
      return "silent";
    case SourceAlarm::kDisconnected:
      return "disconnected";
  }
  return "none";
}

}  // namespace heliograph::ingestor
