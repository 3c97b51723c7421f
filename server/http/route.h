#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/http/request.h"
#include "server/http/response.h"

namespace heliograph::server {

using Handler = std::function<Response(const Request&)>;

enum class ParameterPlace { kQuery, kPath };
enum class ParameterType { kString, kInteger, kNumber, kBoolean, kTime };

/// A parameter as OpenAPI describes it.
struct ParameterDoc {
  std::string name;
  std::string description;
  ParameterType type = ParameterType::kString;
  ParameterPlace place = ParameterPlace::kQuery;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::optional<std::int64_t> fallback;  ///< the default of a number
  std::vector<std::string> choices;      ///< the allowed texts, when only some are
};

/// A status that a route answers beside the errors that every route can answer.
struct ResponseDoc {
  int status = 200;
  std::string description;
  std::string content_type = "application/json";
};

enum class Access {
  kRead,   ///< anyone
  kWrite,  ///< needs the API key; the router checks it before the handler runs
};

/// One method on one path: what is served, and the whole of its documentation.
struct Route {
  Method method = Method::kGet;
  /// `/api/nodes/{pubkey}`: segments are fixed text or one parameter each. A fixed segment is preferred to a
  /// parameter.
  std::string path;
  std::string summary;
  std::string tag;  ///< the group in the documentation
  /// Path parameters that are not listed are documented as strings. Query parameters that are not listed do
  /// not reach the handler.
  std::vector<ParameterDoc> parameters;
  std::vector<ResponseDoc> responses{{200, "The answer.", "application/json"}};
  std::optional<std::string> request_body;  ///< what the body holds; none when the route takes no body
  /// Longer bodies are 413 and do not reach the handler, within HttpLimits::max_body_bytes for all routes. A
  /// parsed body takes many times its bytes, so a route asks for what it needs and not for more.
  std::size_t max_body_bytes = 64 * 1024;
  Access access = Access::kRead;
  Handler handler;
};

/// Documentation of the usual parameters.
ParameterDoc LimitDoc(std::int64_t fallback, std::int64_t maximum);
ParameterDoc OffsetDoc();
ParameterDoc CursorDoc();
ParameterDoc RegionDoc();
ParameterDoc AsOfDoc();
ParameterDoc BranchDoc();
/// A text parameter, with its choices when it has some.
ParameterDoc TextDoc(std::string name, std::string description, std::vector<std::string> choices = {});

}  // namespace heliograph::server
