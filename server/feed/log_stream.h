#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "server/feed/frames.h"
#include "server/feed/live_log.h"
#include "server/http/response.h"

namespace heliograph::server {

struct LogStreamSettings {
  std::chrono::milliseconds retry{3000};
  std::chrono::milliseconds heartbeat{15'000};
  std::chrono::milliseconds max_age{
      15 * 60'000};                        ///< up to a tenth less, so that clients do not return all at once
  std::size_t piece_bytes = 32 * 1024;     ///< after which the client must take what it was sent
  std::optional<std::int64_t> max_behind;  ///< rows; further behind, a stream goes on at the head
};

/// Where a stream begins.
struct StreamStart {
  enum class At { kNow, kBeginning, kCursor };
  At at = At::kNow;
  StreamCursor cursor;    ///< with kCursor
  std::string requested;  ///< its text
};

/// One client's way through a LiveLog: `hello`, then every row after its cursor exactly once and in order,
/// `hb` when there was nothing to say for a while, and `reset` when it cannot go on where it stands.
template <typename Row>
class LogStream : public EventSource {
 public:
  using Filter = std::function<bool(const Row&)>;
  using Time = std::chrono::steady_clock::time_point;

  LogStream(std::shared_ptr<LiveLog<Row>> log, StreamStart start, Filter filter, LogStreamSettings settings)
      : log_(std::move(log)), start_(std::move(start)), filter_(std::move(filter)), settings_(settings) {}

  bool Append(std::string& out, Time now) override {
    if (!opened_) Open(out, now);
    if (const auto bounds = log_->Bounds(now)) {
      if (!begun_) {
        Begin(out, *bounds);
      } else {
        GoOn(out, *bounds);
      }
    }
    if (!out.empty()) last_said_ = now;
    if (now - last_said_ >= settings_.heartbeat) {
      out += begun_ ? HeartbeatFrame({epoch_, 0, 0}, position_) : std::string(":\n\n");
      last_said_ = now;
    }
    return now < ends_at_;
  }

 private:
  void Open(std::string& out, Time now) {
    opened_ = true;
    last_said_ = now;
    std::minstd_rand random(std::random_device{}());
    const auto jitter =
        std::uniform_int_distribution<std::int64_t>(0, settings_.max_age.count() / 10)(random);
    ends_at_ = now + settings_.max_age - std::chrono::milliseconds(jitter);
    out += RetryFrame(settings_.retry);
  }

  void Begin(std::string& out, const StreamBounds& bounds) {
    begun_ = true;
    epoch_ = bounds.epoch;
    position_ = bounds.head;
    if (start_.at == StreamStart::At::kBeginning) position_ = bounds.floor;
    if (start_.at == StreamStart::At::kCursor) {
      if (const auto reason = ResetFor(start_.cursor, bounds)) {
        out += ResetFrame(bounds, *reason, start_.requested);
        return;
      }
      position_ = start_.cursor.position;
    }
    out += HelloFrame(bounds, position_);
  }

  void GoOn(std::string& out, const StreamBounds& bounds) {
    if (const auto reason = ResetFor({epoch_.substr(0, kCursorEpochDigits), position_}, bounds)) {
      out += ResetFrame(bounds, *reason, CursorText(epoch_, position_));
      epoch_ = bounds.epoch;
      position_ = bounds.head;
      return;
    }
    // A piece at least for each turn: rows that nobody wants cost no turn of their own.
    for (int pages = 0; position_ < bounds.head && out.empty() && pages < kPagesAtATime; ++pages) {
      const auto page = log_->After(position_);
      if (page == nullptr) return;
      Take(out, *page);
    }
  }

  void Take(std::string& out, const typename LiveLog<Row>::Page& page) {
    for (const auto& framed : page.rows) {
      if (out.size() >= settings_.piece_bytes) return;
      position_ = framed.position;
      if (filter_(framed.row)) out += framed.frame;
    }
    position_ = page.end;
  }

  std::optional<ResetReason> ResetFor(const StreamCursor& cursor, const StreamBounds& bounds) const {
    if (const auto reason = FindReset(cursor, bounds)) return reason;
    if (settings_.max_behind && bounds.head - cursor.position > *settings_.max_behind)
      return ResetReason::kTooFarBehind;
    return std::nullopt;
  }

  static constexpr int kPagesAtATime = 8;

  const std::shared_ptr<LiveLog<Row>> log_;
  const StreamStart start_;
  const Filter filter_;
  const LogStreamSettings settings_;
  bool opened_ = false, begun_ = false;
  std::string epoch_;
  std::int64_t position_ = 0;
  Time last_said_{}, ends_at_{};
};

}  // namespace heliograph::server
