#include "server/page/page.h"

#include <gtest/gtest.h>

#include <regex>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

Request RequestTo(const std::string& path) {
  Request request;
  request.path = path;
  return request;
}

TEST(PageTest, TheRootIsTheDocument) {
  const Response response = ServePage(RequestTo("/"));
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(response.Text(), ServePage(RequestTo("/index.html")).Text());
  EXPECT_TRUE(response.Text().starts_with("<!doctype html>"));
}

TEST(PageTest, HoldsEveryFileThatTheDocumentNames) {
  const std::string document = ServePage(RequestTo("/")).Text();
  const std::regex named("(?:href|src)=\"(page\\.[a-z]+)\"");
  std::size_t files = 0;
  for (std::sregex_iterator at(document.begin(), document.end(), named), end; at != end; ++at, ++files)
    EXPECT_EQ(ServePage(RequestTo("/" + (*at)[1].str())).status, 200);
  EXPECT_EQ(files, 2U);
}

TEST(PageTest, LetsTheBrowserRunNothingButItsOwnScript) {
  const Response response = ServePage(RequestTo("/"));
  const std::string* policy = response.FindHeader("Content-Security-Policy");
  ASSERT_NE(policy, nullptr);
  EXPECT_NE(policy->find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy->find("unsafe"), std::string::npos);
}

TEST(PageTest, IsNotSentAgainToWhoHasIt) {
  Request request = RequestTo("/page.js");
  request.headers = {{"If-None-Match", *ServePage(request).FindHeader("ETag")}};
  EXPECT_EQ(ServePage(request).status, 304);
}

TEST(PageTest, KnowsNoOtherFiles) {
  for (const char* path : {"/nothing.html", "/../page.js", "/page.js/", "//"})
    EXPECT_THROW(ServePage(RequestTo(path)), ProblemError) << path;
}

}  // namespace
}  // namespace heliograph::server
