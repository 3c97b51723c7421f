#include "common/time.h"

#include <cstdio>

namespace heliograph {
namespace {

using std::chrono::milliseconds;

/// Takes digits and characters off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// The number that exactly `digits` digits write; nothing when there are fewer.
  std::optional<int> Number(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!IsDigit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  /// The milliseconds of a decimal fraction of one digit or more.
  std::optional<milliseconds> Fraction() {
    if (rest_.empty() || !IsDigit(rest_.front())) return std::nullopt;
    int value = 0, weight = 100;
    while (!rest_.empty() && IsDigit(rest_.front())) {
      value += (rest_.front() - '0') * weight;
      weight /= 10;
      rest_.remove_prefix(1);
    }
    return milliseconds(value);
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  std::string_view rest_;
};

std::optional<std::chrono::sys_days> ScanDate(Scanner& scanner) {
  const auto year = scanner.Number(4);
  if (!year || !scanner.Take('-')) return std::nullopt;
  const auto month = scanner.Number(2);
  if (!month || !scanner.Take('-')) return std::nullopt;
  const auto day = scanner.Number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<milliseconds> ScanTimeOfDay(Scanner& scanner) {
  const auto hour = scanner.Number(2);
  if (!hour || *hour > 23 || !scanner.Take(':')) return std::nullopt;
  const auto minute = scanner.Number(2);
  if (!minute || *minute > 59 || !scanner.Take(':')) return std::nullopt;
  const auto second = scanner.Number(2);
  if (!second || *second > 59) return std::nullopt;
  milliseconds fraction{0};
  if (scanner.Take('.')) {
    const auto scanned = scanner.Fraction();
    if (!scanned) return std::nullopt;
    fraction = *scanned;
  }
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) + fraction;
}

std::optional<milliseconds> ScanOffset(Scanner& scanner) {
  if (scanner.Take('Z')) return milliseconds{0};
  const bool east = scanner.Take('+');
  if (!east && !scanner.Take('-')) return std::nullopt;
  const auto hours = scanner.Number(2);
  if (!hours || *hours > 23 || !scanner.Take(':')) return std::nullopt;
  const auto minutes = scanner.Number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const milliseconds offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return east ? offset : -offset;
}

bool IsInRange(UtcMillis time) {
  const UtcMillis end = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  return time >= UtcMillis{} && time < end;
}

}  // namespace

UtcMillis WallClockNow() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::optional<ParsedTime> ParseTime(std::string_view text) {
  Scanner scanner(text);
  const auto date = ScanDate(scanner);
  if (!date || (!scanner.Take('T') && !scanner.Take(' '))) return std::nullopt;
  const auto time_of_day = ScanTimeOfDay(scanner);
  if (!time_of_day) return std::nullopt;
  ParsedTime parsed{*date + *time_of_day, TimeZoneKnowledge::kNaive};
  if (!scanner.AtEnd()) {
    const auto offset = ScanOffset(scanner);
    if (!offset || !scanner.AtEnd()) return std::nullopt;
    parsed = {parsed.time - *offset, TimeZoneKnowledge::kStated};
  }
  if (!IsInRange(parsed.time)) return std::nullopt;
  return parsed;
}

std::string FormatTime(UtcMillis time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  char text[48];
  int length =
      std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  std::string formatted(text, static_cast<std::size_t>(length));
  if (clock.subseconds().count() != 0) {
    length = std::snprintf(text, sizeof(text), ".%03d", static_cast<int>(clock.subseconds().count()));
    formatted.append(text, static_cast<std::size_t>(length));
  }
  return formatted + 'Z';
}

}  // namespace heliograph
