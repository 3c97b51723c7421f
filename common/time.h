#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph {

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z. All stored times have this type.
using UtcMillis = std::chrono::sys_time<std::chrono::milliseconds>;

/// The wall clock. The only place that reads it, so that everything else can be given a time.
UtcMillis WallClockNow();

/// How far the offset of a timestamp's text can be believed.
enum class TimeZoneKnowledge {
  kStated,  ///< the text ends in Z or in an offset
  kNaive,   ///< the text has none, and may be local time
};

struct ParsedTime {
  UtcMillis time;  ///< a naive text is read as if it were UTC
  TimeZoneKnowledge zone;
};

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction][Z|±HH:MM]` (a space may stand for the T). Nothing when the text has
/// another form or names no real moment of the years 1970 to 9999. Fractions are cut to milliseconds.
std::optional<ParsedTime> ParseTime(std::string_view text);

/// `YYYY-MM-DDTHH:MM:SSZ`, with `.mmm` only when the milliseconds are not zero.
std::string FormatTime(UtcMillis time);

}  // namespace heliograph
