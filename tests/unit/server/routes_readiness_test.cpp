#include <gmock/gmock.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kPath = "/api/multibyte/readiness";

class ReadinessRouteTest : public RoutesTest {
 protected:
  static SwitchReadiness Readiness(double share, std::vector<std::string> regions = {"OAK", "SFO"}) {
    SwitchReadiness readiness;
    regions.insert(regions.begin(), "");
    for (const std::string& region : regions) {
      ReadinessScope scope;
      scope.region = region;
      scope.knowledge = {2, 80, 10, 5, 0.75};
      scope.two_bytes.node_share = ShareEstimate{share, 0.25, 0.875};
      scope.two_bytes.blockers = {{KeyOf({0xB0}), 0.125}};
      readiness.scopes.push_back(scope);
    }
    return readiness;
  }
  static std::vector<std::string> Regions(const Json& answer) {
    std::vector<std::string> regions;
    for (const Json& scope : answer.at("scopes"))
      regions.push_back(scope.at("region").is_null() ? "mesh" : scope.at("region").get<std::string>());
    return regions;
  }
  static double Share(const Json& answer) {
    return answer.at("scopes").at(0).at("two_bytes").at("node_share").at("share").get<double>();
  }
};

TEST_F(ReadinessRouteTest, HasNoScopesBeforeTheFirstAssessment) {
  const Json answer = GetJson(kPath);
  EXPECT_EQ(answer.at("scopes"), Json::array());
  EXPECT_EQ(answer.at("total"), 0);
  EXPECT_TRUE(answer.at("next").is_null());
}

TEST_F(ReadinessRouteTest, ServesWhatTheDatabaseHoldsUntilTheFirstCycle) {
  mesh_.AddNode(KeyOf({0xB0}));
  mesh_.StoreReadiness(Readiness(0.5));
  const Json answer = GetJson(kPath);
  EXPECT_THAT(Regions(answer), ElementsAre("mesh", "OAK", "SFO"));
  EXPECT_EQ(Share(answer), 0.5);
  const Json& scope = answer.at("scopes").at(0);
  EXPECT_EQ(scope.at("knowledge").at("share_of_relayed_traffic_with_evidence"), 0.75);
  EXPECT_TRUE(scope.at("two_bytes").at("observer_share").is_null());
  EXPECT_EQ(scope.at("two_bytes").at("blockers").at(0).at("public_key"), KeyOf({0xB0}).ToHex());
  EXPECT_EQ(scope.at("two_bytes").at("blockers").at(0).at("gain"), 0.125);
  EXPECT_THAT(scope.at("three_bytes").at("blockers"), IsEmpty());
}

TEST_F(ReadinessRouteTest, ServesTheNewestAssessmentOfThisDatabase) {
  mesh_.StoreReadiness(Readiness(0.5));
  Start();
  assessed_ =
      std::make_shared<AssessedReadiness>(AssessedReadiness{views_.view->epoch, 7, 2, Readiness(0.625)});
  EXPECT_EQ(Share(GetJson(kPath)), 0.625);
  EXPECT_EQ(GetJson(kPath).at("watermark"), 7);
  assessed_ = std::make_shared<AssessedReadiness>(AssessedReadiness{"another", 7, 2, Readiness(0.625)});
  EXPECT_EQ(Share(GetJson(kPath)), 0.5);
}

TEST_F(ReadinessRouteTest, FiltersByRegionAndKnowsNothingOfAnUnknownOne) {
  mesh_.StoreReadiness(Readiness(0.5));
  EXPECT_THAT(Regions(GetJson(std::string(kPath) + "?region=sfo")), ElementsAre("SFO"));
  EXPECT_THAT(Regions(GetJson(std::string(kPath) + "?region=SFO,OAK")), ElementsAre("OAK", "SFO"));
  EXPECT_THAT(Regions(GetJson(std::string(kPath) + "?region=ALL")), ElementsAre("mesh", "OAK", "SFO"));
  const Json unknown = GetJson(std::string(kPath) + "?region=XXX");
  EXPECT_EQ(unknown.at("scopes"), Json::array());
  EXPECT_EQ(unknown.at("not_adopted_total"), 0);
}

TEST_F(ReadinessRouteTest, AnswersAsOfACommitFromWhatWasStoredThen) {
  mesh_.StoreReadiness(Readiness(0.5));            // commit 2
  mesh_.StoreReadiness(Readiness(0.75, {"SFO"}));  // commit 3
  Start();
  assessed_ =
      std::make_shared<AssessedReadiness>(AssessedReadiness{views_.view->epoch, 7, 2, Readiness(0.9)});
  const Json then = GetJson(std::string(kPath) + "?as_of=seq:2");
  EXPECT_EQ(Share(then), 0.5);
  EXPECT_EQ(then.at("as_of").at("commit"), "c2");
  EXPECT_THAT(Regions(then), ElementsAre("mesh", "OAK", "SFO"));
  EXPECT_THAT(Regions(GetJson(std::string(kPath) + "?as_of=seq:3&region=OAK")), IsEmpty());
  EXPECT_EQ(GetJson(std::string(kPath) + "?as_of=seq:1").at("scopes"), Json::array());
  GetJson(std::string(kPath) + "?as_of=seq:99", 404);
}

TEST_F(ReadinessRouteTest, ListsWhoCanAndDoesNot) {
  const std::int64_t silent = mesh_.AddNode(KeyOf({1})), switched = mesh_.AddNode(KeyOf({2}));
  mesh_.AddNode(KeyOf({3}));
  mesh_.Confirm(silent, "relay", false);
  mesh_.Confirm(switched);
  const Json answer = GetJson(kPath);
  EXPECT_THAT(Column(answer.at("not_adopted"), "public_key"), ElementsAre(KeyOf({1}).ToHex()));
  EXPECT_EQ(GetJson(std::string(kPath) + "?as_of=seq:3").at("not_adopted_total"), 1);
  EXPECT_TRUE(GetJson(std::string(kPath) + "?as_of=seq:3&region=SFO").at("not_adopted").is_null());
}

TEST_F(ReadinessRouteTest, DoesNotNameBlockersThatAreHidden) {
  config_.node_blacklist = {KeyOf({0xB0}).ToHex()};
  mesh_.StoreReadiness(Readiness(0.5));
  EXPECT_THAT(GetJson(kPath).at("scopes").at(0).at("two_bytes").at("blockers"), IsEmpty());
}

TEST_F(ReadinessRouteTest, IsDescribedInTheSpecification) {
  EXPECT_TRUE(GetJson("/api/spec").at("paths").contains(kPath));
}

TEST_F(ReadinessRouteTest, AnswersNotModifiedToWhoHoldsTheSame) {
  mesh_.StoreReadiness(Readiness(0.5));
  const Response first = Get(kPath);
  std::string etag;
  for (const Header& header : first.headers)
    if (header.name == "ETag") etag = header.value;
  EXPECT_EQ(Get(kPath, etag).status, 304);
}

}  // namespace
}  // namespace heliograph::server
