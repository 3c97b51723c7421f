#include <gmock/gmock.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class ChangeRoutesTest : public RoutesTest {
 protected:
  void SetUp() override {
    node_ = mesh_.AddNode(KeyOf({1}));
    mesh_.Confirm(node_, "advert");  // rows 1 (the capability) and 2 (the commit)
  }
  std::string At(std::int64_t seq) {
    return GetJson("/api/changes").at("head").get<std::string>().substr(0, 17) + std::to_string(seq);
  }

  std::int64_t node_ = 0;
};

TEST_F(ChangeRoutesTest, WithoutACursorItBeginsNow) {
  const Json now = GetJson("/api/changes");
  EXPECT_EQ(now.at("changes"), Json::array());
  EXPECT_EQ(now.at("caught_up"), true);
  EXPECT_TRUE(now.at("next").is_null());
  mesh_.Confirm(node_, "relay");
  const Json after = GetJson("/api/changes?cursor=" + now.at("cursor").get<std::string>());
  EXPECT_THAT(Column(after.at("changes"), "kind"), ElementsAre("capability_changed", "commit"));
}

TEST_F(ChangeRoutesTest, AnEntrySaysWhatBecameOfWhatAndWhere) {
  const Json entry = GetJson("/api/changes?start=beginning").at("changes").at(0);
  EXPECT_EQ(entry.at("entity_kind"), "node");
  EXPECT_EQ(entry.at("entity_id"), KeyOf({1}).ToHex());
  EXPECT_EQ(entry.at("branch"), "main");
  EXPECT_EQ(entry.at("commit"), "c2");
  EXPECT_EQ(entry.at("data").at("status"), "confirmed");
  EXPECT_EQ(entry.at("cursor"), At(1));
}

TEST_F(ChangeRoutesTest, FollowingNextVisitsEveryRowOnce) {
  for (int i = 0; i < 6; ++i) mesh_.Confirm(node_, i % 2 == 0 ? "relay" : "advert");
  for (int size = 1; size <= 15; ++size) {
    std::vector<std::int64_t> seen;
    std::string query = "start=beginning";
    for (bool more = true; more && seen.size() < 50;) {
      const Json page = GetJson("/api/changes?limit=" + std::to_string(size) + "&" + query);
      for (const Json& entry : page.at("changes")) seen.push_back(entry.at("seq"));
      more = !page.at("next").is_null();
      query = "cursor=" + page.at("cursor").get<std::string>();
    }
    EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)) << "in pages of " << size;
  }
}

TEST_F(ChangeRoutesTest, FiltersLeaveOutRowsAndKeepTheCursorMoving) {
  mesh_.Confirm(mesh_.AddNode(KeyOf({2})));
  const Json commits = GetJson("/api/changes?start=beginning&kind=commit");
  EXPECT_THAT(Column(commits.at("changes"), "kind"), Each("commit"));
  EXPECT_EQ(commits.at("cursor"), At(4));
  EXPECT_EQ(GetJson("/api/changes?start=beginning&entity_kind=node").at("changes").size(), 2U);
  EXPECT_EQ(GetJson("/api/changes?start=beginning&entity=" + KeyOf({2}).ToObserverId()).at("changes").size(),
            1U);
  EXPECT_EQ(GetJson("/api/changes?start=beginning&branch=other").at("changes").size(), 0U);
  EXPECT_EQ(
      GetJson("/api/changes?start=beginning&kind=commit,capability_changed&branch=main").at("changes").size(),
      4U);
}

TEST_F(ChangeRoutesTest, HiddenNodesAreLeftOut) {
  config_.node_blacklist = {KeyOf({1}).ToHex()};
  EXPECT_THAT(Column(GetJson("/api/changes?start=beginning").at("changes"), "kind"), ElementsAre("commit"));
}

TEST_F(ChangeRoutesTest, ACursorThatCannotGoOnIsResetWithTheReason) {
  mesh_.Run("UPDATE meta SET value = '1' WHERE key = 'feed_floor'");
  mesh_.Run("DELETE FROM change_log WHERE seq <= 1");
  const Json behind = GetJson("/api/changes?cursor=" + At(0), 410).at("reset");
  EXPECT_EQ(behind.at("reason"), "behind_retention");
  EXPECT_EQ(behind.at("cursor"), At(2));
  EXPECT_EQ(behind.at("floor"), At(1));
  EXPECT_EQ(GetJson("/api/changes?cursor=" + At(3), 410).at("reset").at("reason"), "ahead_of_head");
  EXPECT_EQ(GetJson("/api/changes?cursor=0123456789abcdef-1", 410).at("reset").at("reason"), "other_epoch");
  EXPECT_EQ(GetJson("/api/changes?cursor=" + At(1)).at("changes").size(), 1U);
  EXPECT_EQ(GetJson("/api/changes?start=beginning").at("changes").size(), 1U);
}

TEST_F(ChangeRoutesTest, WhatIsNoCursorIsRefused) {
  for (const char* text : {"1", "x", "0123456789abcdef-", "0123456789abcdef--1", "0123456789ABCDEF-1"})
    GetJson(std::string("/api/changes?cursor=") + text, 400);
  GetJson("/api/changes?start=yesterday", 400);
}

TEST_F(ChangeRoutesTest, ALogThatIsPrunedToNothingIsNoReset) {
  mesh_.Run("UPDATE meta SET value = '2' WHERE key = 'feed_floor'");
  mesh_.Run("DELETE FROM change_log");
  EXPECT_EQ(GetJson("/api/changes?cursor=" + At(2)).at("caught_up"), true);
}

}  // namespace
}  // namespace heliograph::server
