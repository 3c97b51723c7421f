#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/api_key.h"
#include "server/http/route.h"

namespace heliograph::server {

/// Finds the handler of a request and turns whatever happens in it into a response. Routes are added and
/// settings made before the first Handle(); from then on it is immutable and Handle() is thread-safe.
class Router {
 public:
  /// Called after each response, with the template of the route ("(none)" when none matched). Must be
  /// thread-safe.
  using Observer = std::function<void(Method method, std::string_view route, int status,
                                      std::chrono::nanoseconds duration)>;
  /// Called with the text of an exception that no handler should have let through. Must be thread-safe.
  using ErrorLog = std::function<void(std::string_view path, std::string_view what)>;

  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Throws std::logic_error when the path is malformed or when another route has the same method and path.
  /// HEAD and OPTIONS are served without routes of their own. Parameters at one place may have different
  /// names in different routes.
  void Add(Route route);

  /// Keeps a path for itself although no route may be there yet: it is not taken for the parameter of another
  /// template, and is 404 until a route is added. Throws std::logic_error when the path is malformed.
  void Reserve(std::string_view path);

  /// What answers GET and HEAD outside /api when no route matches: the web page. Without it these are 404.
  void SetPage(Handler page) { page_ = std::move(page); }
  /// Without a guard, routes with Access::kWrite answer 403.
  void SetApiKeyGuard(ApiKeyGuard guard) { guard_ = std::make_unique<ApiKeyGuard>(std::move(guard)); }
  /// Origins that may read from a browser page elsewhere; "*" is all. Empty (the default): no CORS at all.
  void SetCorsAllowedOrigins(std::vector<std::string> origins) { cors_origins_ = std::move(origins); }
  void SetObserver(Observer observer) { observer_ = std::move(observer); }
  /// Without one they go to standard error.
  void SetErrorLog(ErrorLog log) { error_log_ = std::move(log); }

  /// Never throws but for want of memory. Every answer of a route below /api has a Cache-Control: `no-cache`
  /// unless the handler set another.
  Response Handle(Request request) const;

  /// In the order in which they were added.
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;

  /// The place of the template in the tree, made when it is missing.
  Node& PlaceOf(std::string_view path);
  Response Dispatch(Request& request, std::string_view& route_name) const;
  Response Run(const Route& route, Request& request) const;
  /// What some route allows: the answer to `OPTIONS *`.
  std::string AllMethods() const;
  Response Preflight(const Request& request, const std::string& allow) const;
  void AddCorsHeaders(const Request& request, Response& response) const;
  bool IsAllowedOrigin(std::string_view origin) const;
  void Log(std::string_view path, std::string_view what) const;

  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
  Handler page_;
  std::unique_ptr<ApiKeyGuard> guard_;
  std::vector<std::string> cors_origins_;
  Observer observer_;
  ErrorLog error_log_;
};

}  // namespace heliograph::server
