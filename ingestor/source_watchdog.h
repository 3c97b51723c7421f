#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph::ingestor {

/// What is wrong with a live source.
enum class SourceAlarm : std::uint8_t {
  kNone,
  kNeverReceived,  ///< connected, and nothing has ever come
  kSilent,         ///< connected, and nothing comes any more
  kDisconnected,
};

/// What the owner of the source should do now.
struct WatchdogVerdict {
  SourceAlarm alarm = SourceAlarm::kNone;  ///< as it stands
  bool raised = false;                     ///< the alarm is new, or of another kind than before: tell it once
  bool reminder = false;                   ///< it has stood for another hour
  bool recovered = false;                  ///< the alarm that stood is over
  bool reconnect = false;                  ///< connect anew, even if the connection looks fine
  std::chrono::seconds lasting{0};         ///< how long the state behind the alarm has lasted
};

/// Tells "connected but silent" from "disconnected" and both from "fine". Pure: it is told events and the
/// time, and acts on nothing. Not thread-safe.
///
/// Silence is time spent connected since the last message, or since the beginning when there was none: an
/// outage is not silence, a source that connects again and again without ever receiving does not escape, and
/// a forced reconnect changes nothing about what is known. Alarms are told once (edges); a message ends
/// silence, a connection ends disconnection, and being disconnected is no recovery from silence. Reconnects
/// are forced when silence is noticed and as long as it lasts, further and further apart: a half-open path is
/// tried again, and a mesh that just sleeps costs one reconnect an hour at most.
class SourceWatchdog {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::chrono::milliseconds silence = std::chrono::minutes(5);
    std::chrono::milliseconds disconnection = std::chrono::minutes(5);
    std::chrono::milliseconds reminder = std::chrono::hours(1);
    std::chrono::milliseconds first_reconnect_gap =
        std::chrono::minutes(1);  ///< doubled after each, up to the next
    std::chrono::milliseconds last_reconnect_gap = std::chrono::hours(1);
  };

  /// `tag` spreads the forced reconnects of many sources over a minute.
  SourceWatchdog(const Options& options, std::string_view tag, Clock::time_point now);

  void OnConnected(Clock::time_point now);
  void OnDisconnected(Clock::time_point now);
  void OnReceived(Clock::time_point now);
  /// To be called about every tenth of the shortest threshold.
  WatchdogVerdict Check(Clock::time_point now);

 private:
  Clock::duration Silence(Clock::time_point now) const;
  bool ReconnectIsDue(Clock::time_point now);

  const Options options_;
  const Clock::duration jitter_;
  bool connected_ = false;
  bool ever_received_ = false;
  Clock::time_point changed_at_;       ///< when connected_ last changed
  Clock::duration silence_before_{0};  ///< connected and silent, before changed_at_
  SourceAlarm alarm_ = SourceAlarm::kNone;
  bool received_since_check_ = false;
  Clock::time_point told_at_;
  std::optional<Clock::time_point> last_reconnect_;
  Clock::duration reconnect_gap_;
};

/// "never_received", "silent", "disconnected", "none".
std::string_view Name(SourceAlarm alarm);

}  // namespace heliograph::ingestor
