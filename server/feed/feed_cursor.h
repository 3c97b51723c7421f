#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph::server {

/// A place in a stream of numbered rows: everything up to `position` has been seen. Only valid for the
/// database whose epoch it names, for a restored copy goes on with the same numbers and other rows.
struct StreamCursor {
  std::string epoch;
  std::int64_t position = 0;
};

/// The rows that a stream can be read from now: those in (floor, head].
struct StreamBounds {
  std::string epoch;
  std::int64_t floor = 0, head = 0;
};

/// How much of the epoch a cursor carries.
inline constexpr std::size_t kCursorEpochDigits = 16;

/// `<first 16 digits of the epoch>-<position>`
std::string CursorText(std::string_view epoch, std::int64_t position);
/// Nothing for a text of any other form.
std::optional<StreamCursor> ParseCursor(std::string_view text);

/// Why a stream cannot go on where a cursor says.
enum class ResetReason {
  kBehindRetention,  ///< rows after the cursor are deleted
  kAheadOfHead,      ///< it names a row that does not exist yet
  kOtherEpoch,       ///< it belongs to another database
  kTooFarBehind,     ///< more has happened since than a stream catches up with
};
/// "behind_retention", "ahead_of_head", "other_epoch", "too_far_behind".
std::string_view Name(ResetReason reason);
/// What a person should know of it.
std::string_view Describe(ResetReason reason);

/// Nothing when a stream can go on after the cursor and miss nothing. Never kTooFarBehind.
std::optional<ResetReason> FindReset(const StreamCursor& cursor, const StreamBounds& bounds);

}  // namespace heliograph::server
