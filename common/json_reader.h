#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/time.h"

namespace heliograph {

/// What is wrong with a JSON text. Thrown while it is read, and caught at the boundary, where it becomes the
/// returned text.
struct JsonFault {
  std::string text;
};

/// Reads the members of one JSON object. Each reader throws JsonFault, which names the member, when it is
/// missing or of another kind.
class JsonReader {
 public:
  /// Throws JsonFault when `json` is no object. Keeps a reference to it.
  explicit JsonReader(const nlohmann::json& json);

  const nlohmann::json& Member(const char* name) const;
  bool Has(const char* name) const { return json_.contains(name); }
  const std::string& Text(const char* name) const;
  /// A text of at most `max_bytes` bytes.
  const std::string& Text(const char* name, std::size_t max_bytes) const;
  bool Flag(const char* name) const;
  /// An integer from `least` to `most`.
  std::int64_t Integer(const char* name, std::int64_t least, std::int64_t most) const;
  /// A number from `least` to `most`.
  double Number(const char* name, double least, double most) const;
  double Fraction(const char* name) const { return Number(name, 0, 1); }
  bool IsNull(const char* name) const { return Member(name).is_null(); }
  const nlohmann::json& Array(const char* name) const;
  const nlohmann::json& Object(const char* name) const;
  /// Milliseconds since 1970, up to the year 9999.
  UtcMillis Time(const char* name) const;

  /// Throws when the object has a member of another name.
  void RefuseAllBut(std::initializer_list<std::string_view> names) const;

 private:
  const nlohmann::json& json_;
};

}  // namespace heliograph
