#include "server/http/api_key.h"

#include <gtest/gtest.h>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

constexpr const char* kKey = "k3y-0f-s1xt33n-or-more";

int StatusOf(const ApiKeyGuard& guard, const Request& request) {
  try {
    guard.Require(request);
  } catch (const ProblemError& problem) {
    return problem.status();
  }
  return 200;
}

int StatusOf(const ApiKeyGuard& guard, std::optional<std::string> sent) {
  Request request;
  request.headers = {{"Host", "127.0.0.1:8080"}};
  if (sent) {
    request.headers.push_back({"x-api-key", *sent});
  }
  return StatusOf(guard, request);
}

TEST(ApiKeyTest, OnlyTheConfiguredKeyMayWrite) {
  const ApiKeyGuard guard({kKey, false, true});
  EXPECT_EQ(StatusOf(guard, kKey), 200);
  EXPECT_EQ(StatusOf(guard, std::nullopt), 401);
  EXPECT_EQ(StatusOf(guard, ""), 401);
  EXPECT_EQ(StatusOf(guard, std::string(kKey) + "x"), 401);
  EXPECT_EQ(StatusOf(guard, std::string(kKey).substr(1)), 401);
}

TEST(ApiKeyTest, WithoutAKeyNobodyMayWrite) {
  EXPECT_EQ(StatusOf(ApiKeyGuard({std::nullopt, false, true}), kKey), 403);
  EXPECT_EQ(StatusOf(ApiKeyGuard({std::string(), false, true}), ""), 403);
}

TEST(ApiKeyTest, InsecureWritesNeedALoopbackListener) {
  EXPECT_EQ(StatusOf(ApiKeyGuard({std::nullopt, true, true}), std::nullopt), 200);
  EXPECT_THROW(ApiKeyGuard({std::nullopt, true, false}), std::invalid_argument);
  EXPECT_EQ(StatusOf(ApiKeyGuard({kKey, true, true}), std::nullopt), 401);
}

TEST(ApiKeyTest, InsecureWritesAreNotForPagesOfOtherSites) {
  const ApiKeyGuard guard({std::nullopt, true, true});
  Request request;
  EXPECT_EQ(StatusOf(guard, request), 403);
  for (const char* host :
       {"localhost", "LocalHost:80", "127.0.0.1:8080", "127.3.2.1", "[::1]", "[::1]:8080"}) {
    request.headers = {{"Host", host}};
    EXPECT_EQ(StatusOf(guard, request), 200) << host;
  }
  for (const char* host :
       {"example.org", "127.0.0.1.example.org", "localhost.example.org:80", "[::2]", "", "["}) {
    request.headers = {{"Host", host}};
    EXPECT_EQ(StatusOf(guard, request), 403) << host;
  }
  request.body = "{}";
  request.headers = {{"Host", "localhost"}};
  EXPECT_EQ(StatusOf(guard, request), 415);
  request.headers.push_back({"Content-Type", "text/plain"});
  EXPECT_EQ(StatusOf(guard, request), 415);
  request.headers.back().value = "application/json; charset=utf-8";
  EXPECT_EQ(StatusOf(guard, request), 200);
}

TEST(ApiKeyTest, WeakKeysAreRefusedAtTheStartAndNotRepeated) {
  for (const char* key : {"fifteen-letters", "aaaaaaaaaaaaaaaaaaaaaaaa", "ChangeMeChangeMe"}) {
    try {
      ApiKeyGuard({key, false, true});
      ADD_FAILURE() << key << " was taken";
    } catch (const WeakApiKeyError& error) {
      EXPECT_EQ(std::string(error.what()).find(key), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace heliograph::server
