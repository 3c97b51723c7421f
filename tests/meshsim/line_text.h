#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/time.h"

namespace heliograph::meshsim {

/// Appending numbers and times to a line without a detour through streams: this is what most of the run's
/// time goes into.

void AppendNumber(std::string& out, std::int64_t value);
/// With `width` digits at least.
void AppendPadded(std::string& out, std::int64_t value, int width);
/// Upper-case.
void AppendHex(std::string& out, ByteView bytes);
/// One decimal, or two where they are not zero: "-7.25", "3.0".
void AppendQuarters(std::string& out, double value);
/// `YYYY-MM-DDTHH:MM:SS`
void AppendSeconds(std::string& out, UtcMillis time);
/// The milliseconds of the second as `.mmm`.
void AppendFraction(std::string& out, UtcMillis time);
/// `text` as a JSON string with its quotes; beyond ASCII as escapes when `ascii`.
void AppendJsonString(std::string& out, std::string_view text, bool ascii);

}  // namespace heliograph::meshsim
