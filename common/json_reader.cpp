#include "common/json_reader.h"

#include <algorithm>
#include <limits>

#include "common/text.h"

namespace heliograph {
namespace {
constexpr std::int64_t kMostMillis = 253'402'300'799'999;  // the end of the year 9999
constexpr std::size_t kMaxShownName = 100;
}  // namespace

using Json = nlohmann::json;

JsonReader::JsonReader(const Json& json) : json_(json) {
  if (!json.is_object()) throw JsonFault{"is no object"};
}

const Json& JsonReader::Member(const char* name) const {
  const auto found = json_.find(name);
  if (found == json_.end()) throw JsonFault{std::string(name) + " is missing"};
  return *found;
}

const std::string& JsonReader::Text(const char* name) const {
  const Json& value = Member(name);
  if (!value.is_string()) throw JsonFault{std::string(name) + " is no text"};
  return value.get_ref<const std::string&>();
}

const std::string& JsonReader::Text(const char* name, std::size_t max_bytes) const {
  const std::string& text = Text(name);
  if (text.size() > max_bytes)
    throw JsonFault{std::string(name) + " is longer than " + std::to_string(max_bytes) + " bytes"};
  return text;
}

bool JsonReader::Flag(const char* name) const {
  const Json& value = Member(name);
  if (!value.is_boolean()) throw JsonFault{std::string(name) + " is neither true nor false"};
  return value.get<bool>();
}

std::int64_t JsonReader::Integer(const char* name, std::int64_t least, std::int64_t most) const {
  const Json& value = Member(name);
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (!fits || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most)
    throw JsonFault{std::string(name) + " is no integer between " + std::to_string(least) + " and " +
                    std::to_string(most)};
  return value.get<std::int64_t>();
}

double JsonReader::Number(const char* name, double least, double most) const {
  const Json& value = Member(name);
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most))
    throw JsonFault{std::string(name) + " is no number between " + Json(least).dump() + " and " +
                    Json(most).dump()};
  return value.get<double>();
}

const Json& JsonReader::Array(const char* name) const {
  const Json& value = Member(name);
  if (!value.is_array()) throw JsonFault{std::string(name) + " is no list"};
  return value;
}

const Json& JsonReader::Object(const char* name) const {
  const Json& value = Member(name);
  if (!value.is_object()) throw JsonFault{std::string(name) + " is no object"};
  return value;
}

UtcMillis JsonReader::Time(const char* name) const {
  return UtcMillis(std::chrono::milliseconds(Integer(name, 0, kMostMillis)));
}

void JsonReader::RefuseAllBut(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : json_.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw JsonFault{"has a member " + ToPrintable(TruncateUtf8(name, kMaxShownName)) +
                      " that is not known"};
  }
}

}  // namespace heliograph
