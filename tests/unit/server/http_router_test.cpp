#include "server/http/router.h"

#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/http/openapi.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"

namespace heliograph::server {
namespace {

using ::testing::HasSubstr;

Route RouteOf(Method method, std::string path, Handler handler) {
  Route route;
  route.method = method;
  route.path = std::move(path);
  route.summary = "A route.";
  route.handler = std::move(handler);
  return route;
}

// Answers with `name` and the path parameters.
Handler Echo(std::string name) {
  return [name](const Request& request) {
    std::string text = name;
    for (const auto& [key, value] : request.path_parameters) {
      text += " " + key + "=" + value;
    }
    return JsonResponse(text);
  };
}

Request RequestTo(std::string path, Method method = Method::kGet) {
  Request request;
  request.method = method;
  request.path = std::move(path);
  return request;
}

TEST(RouterTest, FixedSegmentsComeBeforeParametersInAnyOrderOfAdding) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/nodes/{pubkey}", Echo("node")));
  router.Add(RouteOf(Method::kGet, "/api/nodes/search", Echo("search")));
  router.Add(RouteOf(Method::kGet, "/api/nodes/{id}/health", Echo("health")));
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/search")).Text(), "search");
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/abc")).Text(), "node pubkey=abc");
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/search/health")).Text(), "health id=search");
}

TEST(RouterTest, SegmentsAreDecodedOneByOne) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/channels/{hash}/messages", Echo("m")));
  EXPECT_EQ(router.Handle(RequestTo("/api/channels/a%2Fb%20c/messages")).Text(), "m hash=a/b c");
  EXPECT_EQ(router.Handle(RequestTo("/api/channels/%23caf%C3%A9/messages")).Text(), "m hash=#café");
  for (const char* path :
       {"/api/channels/%zz/messages", "/api/channels/%00/messages", "/api/channels/%FF/messages"}) {
    EXPECT_EQ(router.Handle(RequestTo(path)).status, 400) << path;
  }
}

TEST(RouterTest, EachRouteBoundsItsBodies) {
  Router router;
  Route small = RouteOf(Method::kPost, "/api/small", Echo("small"));
  small.max_body_bytes = 10;
  router.Add(std::move(small));
  router.Add(RouteOf(Method::kPost, "/api/usual", Echo("usual")));
  for (const auto& [path, bytes, status] : {std::tuple("/api/small", 10, 200),
                                            {"/api/small", 11, 413},
                                            {"/api/usual", 65536, 200},
                                            {"/api/usual", 65537, 413}}) {
    Request request = RequestTo(path, Method::kPost);
    request.body.assign(static_cast<std::size_t>(bytes), 'a');
    EXPECT_EQ(router.Handle(std::move(request)).status, status) << path << " " << bytes;
  }
}

TEST(RouterTest, OptionsOfAllNamesTheMethodsOfAllRoutes) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/a", Echo("a")));
  router.Add(RouteOf(Method::kPost, "/api/b", Echo("b")));
  router.SetPage(Echo("page"));
  const Response response = router.Handle(RequestTo("*", Method::kOptions));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(*response.FindHeader("Allow"), "GET, HEAD, POST, OPTIONS");
}

TEST(RouterTest, UnknownPathsAre404) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/nodes/{pubkey}", Echo("node")));
  for (const char* path :
       {"/api", "/api/", "/api/nodes", "/api/nodes/", "/api/nodes/a/b", "/api/nodes/a/", "/", "*", ""}) {
    const Response response = router.Handle(RequestTo(path));
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
}

TEST(RouterTest, AReservedPathIsNoParameterAnd404UntilItHasARoute) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/nodes/{pubkey}", Echo("node")));
  router.Add(RouteOf(Method::kGet, "/api/nodes/{pubkey}/health", Echo("health")));
  router.Reserve("/api/nodes/summary");
  const Response response = router.Handle(RequestTo("/api/nodes/summary"));
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.Text(), HasSubstr("There is nothing at /api/nodes/summary"));
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/abc")).Text(), "node pubkey=abc");
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/summary/health")).Text(), "health pubkey=summary");
  router.Add(RouteOf(Method::kGet, "/api/nodes/summary", Echo("summary")));
  EXPECT_EQ(router.Handle(RequestTo("/api/nodes/summary")).Text(), "summary");
}

TEST(RouterTest, ThePageServesWhatIsOutsideTheApi) {
  Router router;
  router.SetPage([](const Request&) { return JsonResponse("page"); });
  EXPECT_EQ(router.Handle(RequestTo("/nodes")).Text(), "page");
  EXPECT_EQ(router.Handle(RequestTo("/apis")).Text(), "page");
  EXPECT_EQ(router.Handle(RequestTo("/api/nope")).status, 404);
  EXPECT_EQ(router.Handle(RequestTo("/nodes", Method::kPost)).status, 405);
}

TEST(RouterTest, WrongMethodsAre405WithAllow) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/x", Echo("get")));
  router.Add(RouteOf(Method::kDelete, "/api/x", Echo("delete")));
  const Response response = router.Handle(RequestTo("/api/x", Method::kOther));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.FindHeader("Allow"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(router.Handle(RequestTo("/api/x", Method::kHead)).Text(), "get");
  EXPECT_EQ(router.Handle(RequestTo("/api/x", Method::kOptions)).status, 204);
}

TEST(RouterTest, OnlyDeclaredQueryParametersArriveAndTheTargetIsCanonical) {
  Router router;
  std::string seen;
  Route route = RouteOf(Method::kGet, "/api/x/{id}", [&seen](const Request& request) {
    seen = request.canonical_target;
    return JsonResponse(request.FindQuery("_") == nullptr ? "clean" : "dirty");
  });
  route.parameters = {LimitDoc(50, 100), RegionDoc()};
  router.Add(std::move(route));
  Request request = RequestTo("/api/x/a%7eb");
  request.query = ParseQuery("region=SJC%2CLAX&_=123&limit=5&limit=6");
  EXPECT_EQ(router.Handle(request).Text(), "clean");
  EXPECT_EQ(seen, "/api/x/a~b?limit=5&region=SJC%2CLAX");
}

TEST(RouterTest, WritesNeedTheKey) {
  Router router;
  Route route = RouteOf(Method::kPost, "/api/x", Echo("done"));
  route.access = Access::kWrite;
  router.Add(std::move(route));
  EXPECT_EQ(router.Handle(RequestTo("/api/x", Method::kPost)).status, 403);
  router.SetApiKeyGuard(ApiKeyGuard({"a-key-that-is-long-enough", false, true}));
  EXPECT_EQ(router.Handle(RequestTo("/api/x", Method::kPost)).status, 401);
  Request request = RequestTo("/api/x", Method::kPost);
  request.headers = {{"X-API-Key", "a-key-that-is-long-enough"}};
  EXPECT_EQ(router.Handle(request).Text(), "done");
}

TEST(RouterTest, ExceptionsBecomeProblems) {
  Router router;
  std::string logged;
  router.SetErrorLog([&logged](std::string_view path, std::string_view what) {
    logged = std::string(path) + ": " + std::string(what);
  });
  router.Add(RouteOf(Method::kGet, "/api/busy",
                     [](const Request&) -> Response { throw ProblemError(503, "Busy.", 5); }));
  router.Add(RouteOf(Method::kGet, "/api/broken",
                     [](const Request&) -> Response { throw std::runtime_error("secret detail"); }));
  router.Add(RouteOf(Method::kGet, "/api/odd", [](const Request&) -> Response { throw 7; }));
  const Response busy = router.Handle(RequestTo("/api/busy"));
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(*busy.FindHeader("Retry-After"), "5");
  const Response broken = router.Handle(RequestTo("/api/broken"));
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.Text(), ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(logged, "/api/broken: secret detail");
  EXPECT_EQ(router.Handle(RequestTo("/api/odd")).status, 500);
}

TEST(RouterTest, CorsIsOffUntilOriginsAreConfigured) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/x", Echo("x")));
  Request request = RequestTo("/api/x");
  request.headers = {{"Origin", "https://a.example"}};
  EXPECT_EQ(router.Handle(request).FindHeader("Access-Control-Allow-Origin"), nullptr);
  router.SetCorsAllowedOrigins({"https://a.example"});
  EXPECT_EQ(*router.Handle(request).FindHeader("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(*router.Handle(request).FindHeader("Vary"), "Origin");
  request.method = Method::kOptions;
  EXPECT_EQ(*router.Handle(request).FindHeader("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
  request.headers = {{"Origin", "https://b.example"}};
  EXPECT_EQ(router.Handle(request).status, 403);
  router.SetCorsAllowedOrigins({"*"});
  EXPECT_EQ(*router.Handle(request).FindHeader("Access-Control-Allow-Origin"), "*");
}

TEST(RouterTest, ApiAnswersAreNotKeptUnlessTheHandlerSaysSo) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/x", Echo("x")));
  router.Add(RouteOf(Method::kGet, "/api/y", [](const Request&) {
    Response response = JsonResponse("y");
    response.SetHeader("Cache-Control", "max-age=300");
    return response;
  }));
  EXPECT_EQ(*router.Handle(RequestTo("/api/x")).FindHeader("Cache-Control"), "no-cache");
  EXPECT_EQ(*router.Handle(RequestTo("/api/y")).FindHeader("Cache-Control"), "max-age=300");
}

TEST(RouterTest, TheObserverSeesTemplatesAndNeverPaths) {
  Router router;
  std::vector<std::string> seen;
  router.SetObserver([&seen](Method, std::string_view route, int status, std::chrono::nanoseconds) {
    seen.push_back(std::string(route) + " " + std::to_string(status));
  });
  router.Add(RouteOf(Method::kGet, "/api/x/{id}", Echo("x")));
  router.Handle(RequestTo("/api/x/1"));
  router.Handle(RequestTo("/api/x/1", Method::kPut));
  router.Handle(RequestTo("/api/attack/1"));
  EXPECT_THAT(seen, ::testing::ElementsAre("/api/x/{id} 200", "/api/x/{id} 405", "(none) 404"));
}

TEST(RouterTest, ConflictingAndMalformedRoutesAreErrorsOfTheProgram) {
  Router router;
  router.Add(RouteOf(Method::kGet, "/api/x/{a}", Echo("x")));
  EXPECT_THROW(router.Add(RouteOf(Method::kGet, "/api/x/{b}", Echo("x"))), std::logic_error);
  EXPECT_THROW(router.Add(RouteOf(Method::kHead, "/api/y", Echo("x"))), std::logic_error);
  for (const char* path : {"api/x", "", "/api//x", "/api/{}", "/api/{a", "/api/x{a}"}) {
    EXPECT_THROW(router.Add(RouteOf(Method::kGet, path, Echo("x"))), std::logic_error) << path;
  }
}

TEST(OpenApiTest, DocumentsEveryRouteOnceAndNoOther) {
  Router router;
  Route list = RouteOf(Method::kGet, "/api/nodes", Echo("list"));
  list.parameters = {LimitDoc(50, 2000), TextDoc("sort", "The order.", {"name", "time"})};
  router.Add(std::move(list));
  Route post = RouteOf(Method::kPost, "/api/nodes/{id}/rename", Echo("post"));
  post.access = Access::kWrite;
  post.request_body = "The new name.";
  post.responses = {{202, "Accepted.", "application/json"}};
  router.Add(std::move(post));
  router.Add(RouteOf(Method::kGet, "/metrics", Echo("metrics")));
  const auto document = nlohmann::json::parse(OpenApiDocument(router, "T", "1"));
  std::set<std::string> documented;
  for (const auto& [path, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      documented.insert(method + " " + path);
    }
  }
  EXPECT_EQ(documented, (std::set<std::string>{"get /api/nodes", "post /api/nodes/{id}/rename"}));
  const auto& limit = document["paths"]["/api/nodes"]["get"]["parameters"][0];
  EXPECT_EQ(limit["schema"],
            (nlohmann::json{{"type", "integer"}, {"minimum", 1}, {"maximum", 2000}, {"default", 50}}));
  const auto& rename = document["paths"]["/api/nodes/{id}/rename"]["post"];
  EXPECT_EQ(rename["parameters"][0]["in"], "path");
  EXPECT_EQ(rename["security"][0]["ApiKey"], nlohmann::json::array());
  EXPECT_TRUE(rename["responses"].contains("202"));
  EXPECT_EQ(document["openapi"], "3.0.3");
}

}  // namespace
}  // namespace heliograph::server
