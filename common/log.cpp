#include "common/log.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/ascii_case.h"
#include "common/text.h"

namespace heliograph {
namespace {

constexpr std::size_t kMaxLoggedBytes = 200;

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void InitialiseLog(std::string_view name, LogLevel level) {
  auto logger =
      std::make_shared<spdlog::logger>(std::string(name), std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // systemd sets JOURNAL_STREAM for a service whose standard error is the journal, which stamps each line.
  const bool stamped_by_others = std::getenv("JOURNAL_STREAM") != nullptr && isatty(STDERR_FILENO) == 0;
  logger->set_pattern(stamped_by_others ? "%n %l: %v" : "%Y-%m-%dT%H:%M:%S.%eZ %n %l: %v",
                      spdlog::pattern_time_type::utc);
  logger->set_level(SpdlogLevel(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  const std::string lower = LowerAscii(name);
  if (lower == "trace") return LogLevel::kTrace;
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info") return LogLevel::kInfo;
  if (lower == "warn" || lower == "warning") return LogLevel::kWarn;
  if (lower == "error") return LogLevel::kError;
  return std::nullopt;
}

std::string Sanitised(std::string_view text) {
  const std::string_view start = TruncateUtf8(text, kMaxLoggedBytes);
  std::string printable = ToValidUtf8(ToPrintable(start));
  if (start.size() < text.size()) printable += "…";
  return printable;
}

}  // namespace heliograph
