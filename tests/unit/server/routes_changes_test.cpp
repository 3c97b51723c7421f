#include <gmock/gmock.h>

#include <map>
#include <regex>

#include "server/feed/change_kinds.h"
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

  void LogClusterChange(const std::string& id, const PublicKey& representative) {
    mesh_.Run(
        "INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at) "
        "VALUES (2, "
        "1, 'cluster_changed', 'cluster', '" +
        id + "', json_object('title', 'The Bay', 'representative', '" + representative.ToHex() + "'), 0)");
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

TEST_F(ChangeRoutesTest, ClustersAreFoundByTheirKindAndTheirIdInAnyCase) {
  LogClusterChange("01HZZZZZZZZZZZZZZZZZZZZZZA", KeyOf({1}));
  LogClusterChange("01HZZZZZZZZZZZZZZZZZZZZZZB", KeyOf({1}));
  for (const char* query :
       {"kind=cluster_changed", "entity_kind=cluster", "kind=cluster_changed,cluster_decision"})
    EXPECT_EQ(GetJson(std::string("/api/changes?start=beginning&") + query).at("changes").size(), 2U)
        << query;
  const Json one = GetJson("/api/changes?start=beginning&entity=01hzzzzzzzzzzzzzzzzzzzzzzb").at("changes");
  EXPECT_THAT(Column(one, "entity_id"), ElementsAre("01HZZZZZZZZZZZZZZZZZZZZZZB"));
  EXPECT_EQ(one.at(0).at("data").at("representative"), KeyOf({1}).ToHex());
}

TEST_F(ChangeRoutesTest, AHiddenNodeIsNotNamedAsTheRepresentativeOfACluster) {
  config_.node_blacklist = {KeyOf({1}).ToHex()};
  LogClusterChange("01HZZZZZZZZZZZZZZZZZZZZZZA", KeyOf({1}));
  const Json entry = GetJson("/api/changes?start=beginning&kind=cluster_changed").at("changes").at(0);
  EXPECT_TRUE(entry.at("data").at("representative").is_null());
}

/// The literals that a trigger of the feed writes: kind, kind of entity, and the members of the payload.
struct WrittenKind {
  std::string name, entity_kind, members;
};

WrittenKind KindWrittenBy(const std::string& trigger) {
  WrittenKind kind;
  std::smatch match;
  if (!std::regex_search(trigger, match, std::regex(", '([a-z_]+)', '([a-z_]+)',"))) return kind;
  kind.name = match[1];
  kind.entity_kind = match[2];
  const auto object = trigger.find("json_object(");
  int depth = 0;
  bool is_name = true;  // names and values take turns
  for (std::size_t i = trigger.find('(', object); object != std::string::npos; ++i) {
    const char c = trigger[i];
    if (c == '\'' && depth == 1 && is_name) {
      const auto end = trigger.find('\'', i + 1);
      kind.members += (kind.members.empty() ? "" : ", ") + trigger.substr(i + 1, end - i - 1);
      i = end;
    }
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) break;
    if (c == ',' && depth == 1) is_name = !is_name;
  }
  return kind;
}

TEST_F(ChangeRoutesTest, EachKindThatTheSchemaWritesIsDocumentedWithItsMembersAndNoOther) {
  std::map<std::string, std::pair<std::string, std::string>> written, documented;
  SQLite::Statement triggers(
      mesh_.database(),
      "SELECT sql FROM sqlite_schema WHERE type='trigger' AND sql LIKE '%INTO change_log%'");
  while (triggers.executeStep()) {
    const WrittenKind kind = KindWrittenBy(triggers.getColumn(0).getString());
    written[kind.name] = {kind.entity_kind, kind.members};
  }
  for (const ChangeKind& kind : ChangeKinds())
    documented[std::string(kind.name)] = {std::string(kind.entity_kind), std::string(kind.members)};
  // Its payload is made elsewhere.
  written.at("readiness_changed").second = documented.at("readiness_changed").second;
  EXPECT_EQ(documented, written);
  const std::string spec = GetJson("/api/spec").dump();
  for (const auto& [name, facts] : documented)
    EXPECT_THAT(spec, ::testing::HasSubstr(name + " (of a " + facts.first));
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
