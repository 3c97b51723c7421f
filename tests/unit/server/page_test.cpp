#include "server/page/page.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "server/http/problem.h"
#include "server/page/page_files.h"

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

/// The names of files in the first group of a pattern.
std::vector<std::string> Named(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    names.push_back((*at)[1].str());
  return names;
}

TEST(PageTest, HoldsEveryFileThatTheDocumentAndItsScriptsName) {
  auto wanted = Named(ServePage(RequestTo("/")).Text(), std::regex("(?:href|src)=\"(page\\.[a-z]+)\""));
  EXPECT_EQ(wanted.size(), 2U);
  std::set<std::string> seen;
  while (!wanted.empty()) {
    const std::string name = wanted.back();
    wanted.pop_back();
    if (!seen.insert(name).second) continue;
    const Response file = ServePage(RequestTo("/" + name));
    EXPECT_EQ(file.status, 200) << name;
    for (const std::string& imported : Named(file.Text(), std::regex("from '\\./([a-z]+\\.js)'")))
      wanted.push_back(imported);
  }
  EXPECT_EQ(seen.size() + 1, PageFiles().size()) << "a file of the page is not used";
}

TEST(PageTest, StaysSmall) {
  std::size_t bytes = 0;
  for (const PageFile& file : PageFiles()) bytes += file.bytes.size();
  EXPECT_LT(bytes, 80'000U);
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
