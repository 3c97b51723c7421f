#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace heliograph::ingestor {

/// Members of a request's JSON object, or what is wrong with them in words for a person.

inline tl::expected<nlohmann::json, std::string> ObjectOf(const std::string& payload) {
  auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return tl::unexpected(std::string("the request is no JSON object"));
  return json;
}

inline tl::expected<std::string, std::string> TextOf(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
    return tl::unexpected(std::string("the request has no text ") + name);
  return found->get<std::string>();
}

/// Nothing when the member is absent or null.
inline tl::expected<std::optional<std::string>, std::string> OptionalTextOf(const nlohmann::json& object,
                                                                            const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::optional<std::string>();
  if (!found->is_string()) return tl::unexpected(std::string(name) + " is no text");
  return std::optional(found->get<std::string>());
}

}  // namespace heliograph::ingestor
