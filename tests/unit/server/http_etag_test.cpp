#include "server/http/etag.h"

#include <gtest/gtest.h>

namespace heliograph::server {
namespace {

Request Holding(const std::string& if_none_match) {
  Request request;
  request.headers = {{"if-none-match", if_none_match}};
  return request;
}

TEST(ETagTest, DiffersByTargetEpochAndNumberAlone) {
  const std::string etag = ETagOf("/api/nodes?limit=1", {"e", 7});
  EXPECT_EQ(etag, ETagOf("/api/nodes?limit=1", {"e", 7}));
  EXPECT_NE(etag, ETagOf("/api/nodes?limit=2", {"e", 7}));
  EXPECT_NE(etag, ETagOf("/api/nodes?limit=1", {"e", 8}));
  EXPECT_NE(etag, ETagOf("/api/nodes?limit=1", {"f", 7}));
  EXPECT_TRUE(etag.starts_with('"') && etag.ends_with('"'));
}

TEST(ETagTest, IfNoneMatchTakesListsStarsAndWeakTags) {
  const std::string etag = "\"abc\"";
  for (const char* header :
       {"\"abc\"", "W/\"abc\"", "*", " \"x\", \"abc\"", "\"x\",W/\"y\" ,W/\"abc\"", "\"a,b\",\"abc\""}) {
    EXPECT_TRUE(MatchesIfNoneMatch(Holding(header), etag)) << header;
  }
}

TEST(ETagTest, MalformedAndForeignTagsMatchNothing) {
  for (const char* header : {"", "abc", "\"abc", "\"ab\"", "w/\"abc\"", "x\"abc\"", "\"ab\" *"}) {
    EXPECT_FALSE(MatchesIfNoneMatch(Holding(header), "\"abc\"")) << header;
  }
  EXPECT_FALSE(MatchesIfNoneMatch(Request{}, "\"abc\""));
}

TEST(ETagTest, WithETagTurnsAKnownAnswerInto304WithoutABody) {
  const std::string etag = ETagOfBody("{}");
  const Response fresh = WithETag(Request{}, JsonResponse("{}"), etag);
  EXPECT_EQ(fresh.status, 200);
  EXPECT_EQ(*fresh.FindHeader("ETag"), etag);
  Response cached = JsonResponse("{}");
  cached.SetHeader("Cache-Control", "max-age=5");
  const Response known = WithETag(Holding(etag), cached, etag);
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.Text(), "");
  EXPECT_EQ(*known.FindHeader("Cache-Control"), "max-age=5");
}

TEST(ETagTest, ErrorsGetNoTag) {
  EXPECT_EQ(WithETag(Request{}, JsonResponse("{}", 404), "\"a\"").FindHeader("ETag"), nullptr);
}

}  // namespace
}  // namespace heliograph::server
