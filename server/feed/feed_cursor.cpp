#include "server/feed/feed_cursor.h"

#include <algorithm>
#include <charconv>

namespace heliograph::server {
namespace {

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string CursorText(std::string_view epoch, std::int64_t position) {
  return std::string(epoch.substr(0, kCursorEpochDigits)) + "-" + std::to_string(position);
}

std::optional<StreamCursor> ParseCursor(std::string_view text) {
  if (text.size() < kCursorEpochDigits + 2 || text[kCursorEpochDigits] != '-') return std::nullopt;
  StreamCursor cursor;
  cursor.epoch = text.substr(0, kCursorEpochDigits);
  const std::string_view digits = text.substr(kCursorEpochDigits + 1);
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, cursor.position);
  if (parsed.ec != std::errc() || parsed.ptr != end || cursor.position < 0 || !IsHex(cursor.epoch))
    return std::nullopt;
  return cursor;
}

std::string_view Name(ResetReason reason) {
  switch (reason) {
    case ResetReason::kBehindRetention:
      return "behind_retention";
    case ResetReason::kAheadOfHead:
      return "ahead_of_head";
    case ResetReason::kOtherEpoch:
      return "other_epoch";
    case ResetReason::kTooFarBehind:
      return "too_far_behind";
  }
  return "unknown";
}

std::string_view Describe(ResetReason reason) {
  switch (reason) {
    case ResetReason::kBehindRetention:
      return "what came after the cursor is no longer kept";
    case ResetReason::kAheadOfHead:
      return "the cursor lies ahead of everything that has happened";
    case ResetReason::kOtherEpoch:
      return "the cursor belongs to another database, which was replaced or restored";
    case ResetReason::kTooFarBehind:
      return "more has happened since than the stream catches up with";
  }
  return "the cursor cannot be used";
}

std::optional<ResetReason> FindReset(const StreamCursor& cursor, const StreamBounds& bounds) {
  if (cursor.epoch != bounds.epoch.substr(0, kCursorEpochDigits)) return ResetReason::kOtherEpoch;
  if (cursor.position < bounds.floor) return ResetReason::kBehindRetention;
  if (cursor.position > bounds.head) return ResetReason::kAheadOfHead;
  return std::nullopt;
}

}  // namespace heliograph::server
