#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "server/http/request.h"

namespace heliograph::server {

/// The body as a JSON object. Throws ProblemError(400) when it is none, or when it is nested deeper than any
/// request needs: each level costs memory and, when it is freed, stack.
nlohmann::json ObjectInBody(const Request& request);

/// A member that must be text. Throws ProblemError(400) naming it when it is missing, empty or no text.
std::string RequiredText(const nlohmann::json& object, const char* name);
/// A member that may be absent or null. Throws ProblemError(400) when it is no text.
std::optional<std::string> OptionalText(const nlohmann::json& object, const char* name);
/// Who sent it, as commits and jobs tell it: "http", or "http:" and the member `actor`. Throws
/// ProblemError(400) when that is no text, too long, or not one printable line.
std::string ActorIn(const nlohmann::json& object);
/// A number within [minimum, maximum] that may be absent or null. Throws ProblemError(400) when it is no such
/// number.
std::optional<double> OptionalNumber(const nlohmann::json& object, const char* name, double minimum,
                                     double maximum);

}  // namespace heliograph::server
