#include "server/http/response_cache.h"

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

ResponseCache::Body BodyOf(std::size_t bytes) {
  return std::make_shared<const std::string>(bytes, 'x');
}

TEST(ResponseCacheTest, FindsWhatWasStoredForTheSameGenerationOnly) {
  ResponseCache cache({1000, 10});
  const ResponseCache::Body body = BodyOf(10);
  cache.Store("/a", {"e", 1}, body);
  EXPECT_EQ(cache.Find("/a", {"e", 1}), body);
  EXPECT_EQ(cache.Find("/a", {"e", 2}), nullptr);
  EXPECT_EQ(cache.Find("/b", {"e", 1}), nullptr);
  EXPECT_EQ(cache.statistics().hits, 1U);
  EXPECT_EQ(cache.statistics().misses, 2U);
}

TEST(ResponseCacheTest, ANewGenerationEmptiesItAndAnOldOneIsNotKept) {
  ResponseCache cache({1000, 10});
  cache.Store("/a", {"e", 2}, BodyOf(10));
  cache.Store("/b", {"e", 1}, BodyOf(10));
  EXPECT_EQ(cache.statistics().entries, 1U);
  cache.Store("/b", {"e", 3}, BodyOf(10));
  EXPECT_EQ(cache.Find("/a", {"e", 2}), nullptr);
  EXPECT_EQ(cache.statistics().bytes, 12U);
  cache.Store("/c", {"f", 1}, BodyOf(10));
  EXPECT_NE(cache.Find("/c", {"f", 1}), nullptr);
}

TEST(ResponseCacheTest, TheLeastRecentlyUsedGoesFirst) {
  ResponseCache cache({1000, 2});
  cache.Store("/a", {"e", 1}, BodyOf(1));
  cache.Store("/b", {"e", 1}, BodyOf(1));
  cache.Find("/a", {"e", 1});
  cache.Store("/c", {"e", 1}, BodyOf(1));
  EXPECT_NE(cache.Find("/a", {"e", 1}), nullptr);
  EXPECT_EQ(cache.Find("/b", {"e", 1}), nullptr);
  EXPECT_EQ(cache.statistics().evictions, 1U);
}

TEST(ResponseCacheTest, BytesStayWithinTheLimit) {
  ResponseCache cache({1000, 1000});
  for (int i = 0; i < 100; ++i) {
    cache.Store("/" + std::to_string(i), {"e", 1}, BodyOf(200));
    EXPECT_LE(cache.statistics().bytes, 1000U);
  }
  EXPECT_EQ(cache.statistics().entries, 4U);
  cache.Store("/huge", {"e", 1}, BodyOf(600));
  EXPECT_EQ(cache.Find("/huge", {"e", 1}), nullptr);
}

TEST(ResponseCacheTest, RespondCachedBuildsOnceAndAnswers304) {
  ResponseCache cache({1000, 10});
  int built = 0;
  Request request;
  request.canonical_target = "/api/x";
  const auto build = [&built] { return std::to_string(++built); };
  const Response first = RespondCached(request, {"e", 1}, cache, build);
  const Response second = RespondCached(request, {"e", 1}, cache, build);
  EXPECT_EQ(first.Text(), "1");
  EXPECT_EQ(second.Text(), "1");
  request.headers = {{"If-None-Match", *first.FindHeader("ETag")}};
  EXPECT_EQ(RespondCached(request, {"e", 1}, cache, build).status, 304);
  EXPECT_EQ(RespondCached(request, {"e", 2}, cache, build).Text(), "2");
}

TEST(ResponseCacheTest, AnyTagIsNotModifiedOnlyWhenThereIsAnAnswer) {
  ResponseCache cache({1000, 10});
  Request request;
  request.canonical_target = "/api/x";
  request.headers = {{"If-None-Match", "*"}};
  const auto refuse = []() -> std::string { throw std::invalid_argument("limit=x"); };
  EXPECT_THROW(RespondCached(request, {"e", 1}, cache, refuse), std::invalid_argument);
  EXPECT_EQ(RespondCached(request, {"e", 1}, cache, [] { return std::string("1"); }).status, 304);
}

TEST(ResponseCacheTest, ManyThreadsMayUseItWhileGenerationsPass) {
  ResponseCache cache({2000, 20});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache] {
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const std::string target = "/" + std::to_string(i % 40);
        const Generation generation{"e", i / 100};
        if (const auto body = cache.Find(target, generation)) {
          EXPECT_EQ(*body, target + "@" + std::to_string(generation.number));
        }
        cache.Store(target, generation,
                    std::make_shared<const std::string>(target + "@" + std::to_string(generation.number)));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LE(cache.statistics().entries, 20U);
}

}  // namespace
}  // namespace heliograph::server
