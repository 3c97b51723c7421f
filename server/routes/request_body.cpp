#include "server/routes/request_body.h"

#include "common/text.h"
#include "server/http/problem.h"

namespace heliograph::server {

namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxActor = 100;

}  // namespace

nlohmann::json ObjectInBody(const Request& request) {
  const auto bound_depth = [](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    if (depth > kMaxDepth) throw ProblemError(400, "the body is nested too deeply");
    return true;
  };
  auto json = nlohmann::json::parse(request.body, bound_depth, false);
  if (!json.is_object()) throw ProblemError(400, "the body must be a JSON object");
  return json;
}

std::string RequiredText(const nlohmann::json& object, const char* name) {
  auto text = OptionalText(object, name);
  if (!text || text->empty()) throw ProblemError(400, std::string("the body must have the text ") + name);
  return std::move(*text);
}

std::optional<std::string> OptionalText(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) throw ProblemError(400, std::string(name) + " in the body must be a text");
  return found->get<std::string>();
}

std::string ActorIn(const nlohmann::json& object) {
  const std::string actor = OptionalText(object, "actor").value_or("");
  if (actor.size() > kMaxActor)
    throw ProblemError(400, "actor is longer than " + std::to_string(kMaxActor) + " bytes");
  if (ToPrintable(actor) != actor) throw ProblemError(400, "actor is not one printable line");
  return actor.empty() ? "http" : "http:" + actor;
}

std::optional<double> OptionalNumber(const nlohmann::json& object, const char* name, double minimum,
                                     double maximum) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  const double number = found->is_number() ? found->get<double>() : maximum + 1;
  if (!(number >= minimum && number <= maximum)) {
    throw ProblemError(400, std::string(name) + " in the body must be a number from " +
                                std::to_string(static_cast<int>(minimum)) + " to " +
                                std::to_string(static_cast<int>(maximum)));
  }
  return number;
}

}  // namespace heliograph::server
