#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/config.h"

namespace heliograph {

/// Makes spdlog's default logger write to standard error: the time (unless the journal stamps the lines
/// itself), `name`, the level and the text. To be called once, by main, before any other thread runs.
void InitialiseLog(std::string_view name, LogLevel level);

/// "trace", "debug", "info", "warn", "error", in any case; nothing for another word.
std::optional<LogLevel> ParseLogLevel(std::string_view name);

/// Text that came from a node or an observer, as it may stand in a log line: well-formed UTF-8, no control
/// characters, at most 200 bytes.
std::string Sanitised(std::string_view text);

}  // namespace heliograph
