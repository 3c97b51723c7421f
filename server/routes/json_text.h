#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/time.h"

namespace heliograph::server {

/// Writes JSON straight into one string, so that a page of thousands of rows costs its own bytes and no tree.
/// It puts the commas; what is opened, closed and named is up to the caller. Text that is not UTF-8 is
/// repaired.
class JsonText {
 public:
  JsonText& BeginObject() { return Open('{'); }
  JsonText& EndObject() { return Close('}'); }
  JsonText& BeginArray() { return Open('['); }
  JsonText& EndArray() { return Close(']'); }
  JsonText& Key(std::string_view name);

  JsonText& Null() { return Raw("null"); }
  JsonText& Value(std::string_view text);
  JsonText& Value(const std::string& text) { return Value(std::string_view(text)); }
  JsonText& Value(const char* text) { return Value(std::string_view(text)); }
  JsonText& Value(bool truth) { return Raw(truth ? "true" : "false"); }
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) JsonText& Value(Integer number) {
    return Raw(std::to_string(number));
  }
  /// The shortest text that reads back as the same number; null for what JSON cannot write.
  JsonText& Value(double number);
  /// RFC 3339.
  JsonText& Value(UtcMillis time) { return Value(FormatTime(time)); }
  template <typename T>
  JsonText& Value(const std::optional<T>& value) {
    return value ? Value(*value) : Null();
  }
  /// `json` as it is: one whole value.
  JsonText& Raw(std::string_view json);

  template <typename T>
  JsonText& Member(std::string_view name, const T& value) {
    Key(name);
    return Value(value);
  }

  std::size_t size() const { return text_.size(); }
  /// The text. REQUIRED: everything that was opened is closed.
  std::string Take() && { return std::move(text_); }

 private:
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);
  void Separate();

  std::string text_;
  bool after_value_ = false;
};

}  // namespace heliograph::server
