#include "common/config_section.h"

#include <algorithm>
#include <utility>

#include "common/config_input.h"
#include "common/text.h"

namespace heliograph::config_input {

using nlohmann::json;

Section::Section(const json& object, std::string path, std::vector<std::string>& unknown)
    : object_(object), path_(std::move(path)), unknown_(unknown) {
  if (!object_.is_object()) Refuse((path_.empty() ? "the configuration" : path_) + ": must be a JSON object");
}

void Section::ReportUnknown() const {
  for (const auto& [key, value] : object_.items()) {
    if (known_.count(key) == 0 && !key.starts_with('_')) unknown_.push_back(Path(key));
  }
}

const json* Section::Find(const std::string& key) {
  known_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Section::Read(const std::string& key, std::string& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_string()) Refuse(Path(key) + ": must be a string");
  out = value->get<std::string>();
}

void Section::Read(const std::string& key, bool& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) Refuse(Path(key) + ": must be true or false");
  out = value->get<bool>();
}

void Section::Read(const std::string& key, std::vector<std::string>& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  const auto is_string = [](const json& item) { return item.is_string(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_string)) {
    Refuse(Path(key) + ": must be a list of strings");
  }
  out.clear();
  for (const json& item : *value) {
    const std::string_view text = TrimSpace(item.get_ref<const std::string&>());
    if (!text.empty()) out.emplace_back(text);
  }
}

void Section::ReadNumber(const std::string& key, std::optional<double>& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_number()) Refuse(Path(key) + ": must be a number");
  out = value->get<double>();
}

void Section::ReadDays(const std::string& key, std::optional<int>& out) {
  const auto days = WholeNumber(key, -1, kMaxDays);
  if (!days) return;
  out = *days > 0 ? std::optional(static_cast<int>(*days)) : std::nullopt;
}

std::optional<std::int64_t> Section::WholeNumber(const std::string& key, std::int64_t least,
                                                 std::int64_t most) {
  const json* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const bool whole =
      value->is_number_integer() &&
      !(value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most));
  if (!whole || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    Refuse(Path(key) + ": must be a whole number from " + std::to_string(least) + " to " +
           std::to_string(most) + ", not " +
           value->dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 40));
  }
  return value->get<std::int64_t>();
}

}  // namespace heliograph::config_input
