#include "server/http/problem.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heliograph::server {
namespace {

TEST(ProblemTest, CarriesTheErrorOfCoreScopeAndTheMembersOfRfc9457) {
  const Response response = ProblemResponse(404, "No node.", "/api/nodes/x");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto json = nlohmann::json::parse(response.Text());
  EXPECT_EQ(json["error"], "No node.");
  EXPECT_EQ(json["detail"], "No node.");
  EXPECT_EQ(json["status"], 404);
  EXPECT_EQ(json["title"], "Not Found");
  EXPECT_EQ(json["type"], "about:blank");
  EXPECT_EQ(json["instance"], "/api/nodes/x");
  EXPECT_EQ(json.begin().key().empty(), false);
  EXPECT_EQ(response.Text().rfind("{\"error\":", 0), 0U);
}

TEST(ProblemTest, AnyBytesGiveValidJson) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  const Response response = ProblemResponse(400, all, all);
  const auto json = nlohmann::json::parse(response.Text());
  EXPECT_EQ(json["detail"].get<std::string>().substr(0, 128), all.substr(0, 128));
  EXPECT_NE(json["detail"].get<std::string>().find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(ProblemTest, MarkupIsEscaped) {
  EXPECT_EQ(JsonQuoted("<a & \"b\">\n"), R"("\u003ca \u0026 \"b\"\u003e\n")");
}

TEST(ProblemTest, ExtraMembersStandBeside) {
  const auto json = nlohmann::json::parse(ProblemResponse(503, "x", "", R"("missing":["nodes"])").Text());
  EXPECT_EQ(json["missing"][0], "nodes");
  EXPECT_FALSE(json.contains("instance"));
}

}  // namespace
}  // namespace heliograph::server
