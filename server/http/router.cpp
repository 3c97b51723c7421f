#include "server/http/router.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/text.h"
#include "server/http/problem.h"

namespace heliograph::server {
namespace {

constexpr std::string_view kNoRoute = "(none)";

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (path.starts_with('/') && path.size() > 1) {
    const std::size_t end = path.find('/', 1);
    segments.push_back(path.substr(1, end == std::string_view::npos ? end : end - 1));
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  }
  if (path == "/" && !segments.empty()) {
    segments.emplace_back();  // a path that ends in a slash is another one
  }
  return segments;
}

std::vector<std::string> DecodedSegments(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view segment : Split(path)) {
    std::optional<std::string> decoded = PercentDecode(segment);
    if (!decoded || decoded->find('\0') != std::string::npos || !IsValidUtf8(*decoded)) {
      throw ProblemError(400, "The path is not percent-encoded UTF-8.");
    }
    segments.push_back(std::move(*decoded));
  }
  return segments;
}

bool IsParameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

std::string_view ParameterName(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

void CheckTemplate(std::string_view path) {
  bool fine = path.starts_with('/') && path.find("//") == std::string_view::npos;
  for (const std::string_view segment : Split(path)) {
    const std::string_view text = IsParameter(segment) ? ParameterName(segment) : segment;
    fine = fine && !text.empty() && text.find_first_of("{}") == std::string_view::npos;
  }
  if (!fine) {
    throw std::logic_error("malformed route: " + std::string(path));
  }
}

bool IsApi(std::string_view path) {
  return path == "/api" || path.starts_with("/api/");
}

// Keeps the first value of each declared parameter, sorted by name.
void KeepDeclared(const Route& route, Parameters& query) {
  std::stable_sort(query.begin(), query.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  query.erase(std::unique(query.begin(), query.end(),
                          [](const auto& a, const auto& b) { return a.first == b.first; }),
              query.end());
  std::erase_if(query, [&route](const auto& parameter) {
    return std::none_of(route.parameters.begin(), route.parameters.end(), [&](const ParameterDoc& doc) {
      return doc.place == ParameterPlace::kQuery && doc.name == parameter.first;
    });
  });
}

std::string CanonicalTarget(const std::vector<std::string>& segments, const Parameters& query) {
  std::string target;
  for (const std::string& segment : segments) {
    target += "/" + PercentEncode(segment);
  }
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (!value.empty()) {
      target += separator + PercentEncode(name) + "=" + PercentEncode(value);
      separator = '&';
    }
  }
  return target;
}

Parameters PathParameters(const Route& route, const std::vector<std::string>& segments) {
  Parameters parameters;
  std::size_t index = 0;
  for (const std::string_view segment : Split(route.path)) {
    if (IsParameter(segment)) {
      parameters.emplace_back(ParameterName(segment), segments[index]);
    }
    ++index;
  }
  return parameters;
}

}  // namespace

// A place in the tree of templates: the children by fixed text, one child for any text, and what ends here.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
  std::unique_ptr<Node> parameter;
  std::map<Method, const Route*> routes;
  bool reserved = false;  // no parameter stands for this text, also while no route ends here

  const Node* Find(const std::vector<std::string>& segments, std::size_t depth) const {
    if (depth == segments.size()) {
      return routes.empty() ? nullptr : this;
    }
    if (const auto child = fixed.find(segments[depth]); child != fixed.end()) {
      const Node* found = child->second->Find(segments, depth + 1);
      const bool last = depth + 1 == segments.size();
      if (found != nullptr || (last && child->second->reserved)) {
        return found;
      }
    }
    const bool fits = parameter != nullptr && !segments[depth].empty();
    return fits ? parameter->Find(segments, depth + 1) : nullptr;
  }

  std::string Allow() const {
    std::string allow;
    for (const auto& [method, route] : routes) {
      allow += std::string(Name(method)) + (method == Method::kGet ? ", HEAD, " : ", ");
    }
    return allow + "OPTIONS";
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Router::Node& Router::PlaceOf(std::string_view path) {
  CheckTemplate(path);
  Node* node = root_.get();
  for (const std::string_view segment : Split(path)) {
    std::unique_ptr<Node>& child = IsParameter(segment) ? node->parameter : node->fixed[std::string(segment)];
    if (child == nullptr) {
      child = std::make_unique<Node>();
    }
    node = child.get();
  }
  return *node;
}

void Router::Reserve(std::string_view path) {
  PlaceOf(path).reserved = true;
}

void Router::Add(Route route) {
  if (!route.handler || route.method == Method::kHead || route.method == Method::kOptions ||
      route.method == Method::kOther) {
    throw std::logic_error("route without a handler or with a method that cannot be routed: " + route.path);
  }
  Node& node = PlaceOf(route.path);
  auto owned = std::make_unique<Route>(std::move(route));
  if (!node.routes.emplace(owned->method, owned.get()).second) {
    throw std::logic_error("two routes for " + std::string(Name(owned->method)) + " " + owned->path);
  }
  routes_.push_back(std::move(owned));
}

Response Router::Handle(Request request) const {
  const auto begin = std::chrono::steady_clock::now();
  std::string_view route_name = kNoRoute;
  Response response;
  try {
    response = Dispatch(request, route_name);
  } catch (const ProblemError& problem) {
    response = ProblemResponse(problem.status(), problem.what(), request.path, problem.members());
    if (problem.retry_after_seconds() > 0) {
      response.SetHeader("Retry-After", std::to_string(problem.retry_after_seconds()));
    }
  } catch (const std::exception& error) {
    Log(request.path, error.what());
    response =
        ProblemResponse(500, "The server failed to answer this request; its log says why.", request.path);
  } catch (...) {
    Log(request.path, "an exception of unknown type");
    response =
        ProblemResponse(500, "The server failed to answer this request; its log says why.", request.path);
  }
  AddCorsHeaders(request, response);
  if (IsApi(request.path) && response.FindHeader("Cache-Control") == nullptr) {
    response.headers.push_back({"Cache-Control", "no-cache"});
  }
  if (request.method == Method::kHead && response.IsStream()) {
    response.body = std::string();
  }
  if (observer_) {
    observer_(request.method, route_name, response.status, std::chrono::steady_clock::now() - begin);
  }
  return response;
}

Response Router::Dispatch(Request& request, std::string_view& route_name) const {
  if (request.method == Method::kOptions && request.path == "*") return Preflight(request, AllMethods());
  const bool read = request.method == Method::kGet || request.method == Method::kHead;
  const std::vector<std::string> segments = DecodedSegments(request.path);
  const Node* node = root_->Find(segments, 0);
  if (node == nullptr) {
    if (!IsApi(request.path) && page_) {
      if (read) {
        route_name = "(page)";
        return page_(request);
      }
      Response refused = ProblemResponse(405, "Only GET and HEAD are allowed here.", request.path);
      refused.SetHeader("Allow", "GET, HEAD");
      return refused;
    }
    throw ProblemError(404, "There is nothing at " + request.path + "; /api/spec lists what there is.");
  }
  if (request.method == Method::kOptions) {
    return Preflight(request, node->Allow());
  }
  const auto found = node->routes.find(read ? Method::kGet : request.method);
  if (found == node->routes.end()) {
    route_name = node->routes.begin()->second->path;
    Response refused = ProblemResponse(405, "This path allows " + node->Allow() + ".", request.path);
    refused.SetHeader("Allow", node->Allow());
    return refused;
  }
  const Route& route = *found->second;
  route_name = route.path;
  KeepDeclared(route, request.query);
  request.canonical_target = CanonicalTarget(segments, request.query);
  request.path_parameters = PathParameters(route, segments);
  return Run(route, request);
}

Response Router::Run(const Route& route, Request& request) const {
  if (route.access == Access::kWrite) {
    if (guard_ == nullptr) {
      throw ProblemError(403, "Write endpoints are disabled on this server.");
    }
    guard_->Require(request);
  }
  if (request.body.size() > route.max_body_bytes) {
    throw ProblemError(413, "The body is longer than the " + std::to_string(route.max_body_bytes) +
                                " bytes that this route takes.");
  }
  return route.handler(request);
}

std::string Router::AllMethods() const {
  Node all;
  for (const auto& route : routes_) all.routes.emplace(route->method, route.get());
  return all.Allow();
}

Response Router::Preflight(const Request& request, const std::string& allow) const {
  Response response;
  response.status = 204;
  response.content_type.clear();
  response.headers.push_back({"Allow", allow});
  const std::string* origin = request.FindHeader("Origin");
  if (origin == nullptr || cors_origins_.empty()) {
    return response;
  }
  if (!IsAllowedOrigin(*origin)) {
    throw ProblemError(403, "This origin is not among the corsAllowedOrigins of this server.");
  }
  response.headers.push_back({"Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"});
  response.headers.push_back({"Access-Control-Allow-Headers", "Content-Type, X-API-Key"});
  response.headers.push_back({"Access-Control-Max-Age", "600"});
  return response;
}

void Router::AddCorsHeaders(const Request& request, Response& response) const {
  if (cors_origins_.empty()) {
    return;
  }
  if (std::find(cors_origins_.begin(), cors_origins_.end(), "*") != cors_origins_.end()) {
    response.SetHeader("Access-Control-Allow-Origin", "*");
  } else {
    response.SetHeader("Vary", "Origin");
    const std::string* origin = request.FindHeader("Origin");
    if (origin == nullptr || !IsAllowedOrigin(*origin)) {
      return;
    }
    response.SetHeader("Access-Control-Allow-Origin", *origin);
  }
  response.SetHeader("Access-Control-Expose-Headers", "ETag, Retry-After");
}

bool Router::IsAllowedOrigin(std::string_view origin) const {
  return std::any_of(cors_origins_.begin(), cors_origins_.end(),
                     [origin](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Router::Log(std::string_view path, std::string_view what) const {
  if (error_log_) {
    error_log_(path, what);
    return;
  }
  std::fprintf(stderr, "request for %s failed: %s\n", ToPrintable(path).c_str(), ToPrintable(what).c_str());
}

}  // namespace heliograph::server
