#include "tests/meshsim/line_text.h"

#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

namespace heliograph::meshsim {

void AppendNumber(std::string& out, std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void AppendPadded(std::string& out, std::int64_t value, int width) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  for (auto length = end - digits; length < width; ++length) out += '0';
  out.append(digits, end);
}

void AppendHex(std::string& out, ByteView bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0F];
  }
}

void AppendQuarters(std::string& out, double value) {
  const auto hundredths = static_cast<std::int64_t>(std::lround(value * 100));
  if (hundredths < 0) out += '-';
  const std::int64_t magnitude = hundredths < 0 ? -hundredths : hundredths;
  AppendNumber(out, magnitude / 100);
  out += '.';
  if (magnitude % 10 == 0) {
    AppendNumber(out, magnitude % 100 / 10);
  } else {
    AppendPadded(out, magnitude % 100, 2);
  }
}

void AppendSeconds(std::string& out, UtcMillis time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time - day).count();
  AppendPadded(out, static_cast<int>(date.year()), 4);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  AppendPadded(out, seconds / 3600, 2);
  out += ':';
  AppendPadded(out, seconds / 60 % 60, 2);
  out += ':';
  AppendPadded(out, seconds % 60, 2);
}

void AppendFraction(std::string& out, UtcMillis time) {
  out += '.';
  AppendPadded(out, (time - std::chrono::floor<std::chrono::seconds>(time)).count(), 3);
}

void AppendJsonString(std::string& out, std::string_view text, bool ascii) {
  out += nlohmann::json(text).dump(-1, ' ', ascii);
}

}  // namespace heliograph::meshsim
