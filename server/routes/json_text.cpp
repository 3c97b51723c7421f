#include "server/routes/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

/// True for text that stands in JSON as it is.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
  });
}

}  // namespace

JsonText& JsonText::Key(std::string_view name) {
  Value(name);
  text_ += ':';
  after_value_ = false;
  return *this;
}

JsonText& JsonText::Value(std::string_view text) {
  Separate();
  if (IsPlain(text)) {
    text_ += '"';
    text_ += text;
    text_ += '"';
  } else {
    text_ += JsonQuoted(text);
  }
  after_value_ = true;
  return *this;
}

JsonText& JsonText::Value(double number) {
  if (!std::isfinite(number)) return Null();
  std::array<char, 32> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return Raw(std::string_view(digits.data(), static_cast<std::size_t>(result.ptr - digits.data())));
}

JsonText& JsonText::Raw(std::string_view json) {
  Separate();
  text_ += json;
  after_value_ = true;
  return *this;
}

JsonText& JsonText::Open(char bracket) {
  Separate();
  text_ += bracket;
  after_value_ = false;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  text_ += bracket;
  after_value_ = true;
  return *this;
}

void JsonText::Separate() {
  if (after_value_) text_ += ',';
}

}  // namespace heliograph::server
