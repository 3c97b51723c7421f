#include "common/json_reader.h"

#include <limits>

namespace heliograph {

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

}  // namespace heliograph
