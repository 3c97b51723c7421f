#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/time.h"

namespace heliograph {

/// What is wrong with a JSON text from outside, in words for a person. Caught at the boundary of a decoder,
/// where it becomes the returned text.
struct JsonFault {
  std::string text;
};

/// Reads the members of a JSON object of which nothing is taken on trust. Every function throws JsonFault,
/// which names the member, when it is missing, of another type, or out of its range. `json` must outlive the
/// reader.
class JsonMembers {
 public:
  explicit JsonMembers(const nlohmann::json& json);

  bool IsNull(const char* name) const { return Member(name).is_null(); }
  bool Has(const char* name) const { return json_.contains(name); }
  /// A text of at most `max_bytes` bytes.
  const std::string& Text(const char* name, std::size_t max_bytes) const;
  bool Flag(const char* name) const;
  std::int64_t Integer(const char* name, std::int64_t least, std::int64_t most) const;
  /// A finite number.
  double Number(const char* name, double least, double most) const;
  /// Milliseconds since 1970, up to the year 9999.
  UtcMillis Time(const char* name) const;
  const nlohmann::json& List(const char* name) const;
  const nlohmann::json& Object(const char* name) const;

  /// REQUIRED: every member that may be there was asked for. Throws when there is another one.
  void RefuseOthers() const;

 private:
  const nlohmann::json& Member(const char* name) const;

  const nlohmann::json& json_;
  mutable std::set<std::string_view> asked_;
};

}  // namespace heliograph
