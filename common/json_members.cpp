#include "common/json_members.h"

#include <cmath>
#include <limits>

#include "common/text.h"

namespace heliograph {
namespace {
constexpr std::int64_t kMostMillis = 253'402'300'799'999;  // the end of the year 9999
}

JsonMembers::JsonMembers(const nlohmann::json& json) : json_(json) {
  if (!json.is_object()) throw JsonFault{"is no object"};
}

const nlohmann::json& JsonMembers::Member(const char* name) const {
  asked_.insert(name);
  const auto found = json_.find(name);
  if (found == json_.end()) throw JsonFault{std::string(name) + " is missing"};
  return *found;
}

const std::string& JsonMembers::Text(const char* name, std::size_t max_bytes) const {
  const auto& value = Member(name);
  if (!value.is_string()) throw JsonFault{std::string(name) + " is no text"};
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > max_bytes)
    throw JsonFault{std::string(name) + " is longer than " + std::to_string(max_bytes) + " bytes"};
  return text;
}

bool JsonMembers::Flag(const char* name) const {
  const auto& value = Member(name);
  if (!value.is_boolean()) throw JsonFault{std::string(name) + " is neither true nor false"};
  return value.get<bool>();
}

std::int64_t JsonMembers::Integer(const char* name, std::int64_t least, std::int64_t most) const {
  const auto& value = Member(name);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool fits =
      value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMost);
  if (!fits || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most)
    throw JsonFault{std::string(name) + " is no integer between " + std::to_string(least) + " and " +
                    std::to_string(most)};
  return value.get<std::int64_t>();
}

double JsonMembers::Number(const char* name, double least, double most) const {
  const auto& value = Member(name);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= least && number <= most) || !std::isfinite(number))
    throw JsonFault{std::string(name) + " is no number between " + nlohmann::json(least).dump() + " and " +
                    nlohmann::json(most).dump()};
  return number;
}

UtcMillis JsonMembers::Time(const char* name) const {
  return UtcMillis(std::chrono::milliseconds(Integer(name, 0, kMostMillis)));
}

const nlohmann::json& JsonMembers::List(const char* name) const {
  const auto& value = Member(name);
  if (!value.is_array()) throw JsonFault{std::string(name) + " is no list"};
  return value;
}

const nlohmann::json& JsonMembers::Object(const char* name) const {
  const auto& value = Member(name);
  if (!value.is_object()) throw JsonFault{std::string(name) + " is no object"};
  return value;
}

void JsonMembers::RefuseOthers() const {
  for (const auto& [name, value] : json_.items())
    if (!asked_.contains(name)) throw JsonFault{"has a member " + ToPrintable(name) + " that is not known"};
}

}  // namespace heliograph
