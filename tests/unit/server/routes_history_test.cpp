#include <gmock/gmock.h>

#include "server/http/request.h"
#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HistoryRoutesTest : public RoutesTest {
 protected:
  static std::string Entity(const PublicKey& key, const std::string& query = {}) {
    return "/api/entities/node/" + key.ToHex() + query;
  }

  /// A branch from commit `base` on which the node is suspected, as of one commit of its own.
  void AddBranch(const std::string& name, std::int64_t base, std::int64_t node) {
    const std::string seq = std::to_string(mesh_.Ask("SELECT max(commit_seq) + 1 FROM commit_log"));
    mesh_.Run("BEGIN");
    mesh_.Run("INSERT INTO branch(name, base_seq, head_seq, actor, created_at) VALUES ('" + name + "', " +
              std::to_string(base) + ", " + std::to_string(base) + ", 'test', 5)");
    const std::string id = std::to_string(mesh_.Ask("SELECT max(branch_id) FROM branch"));
    mesh_.Run(
        "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us, "
        "committed_us) VALUES (" +
        seq + ", 'b" + seq + "', " + id + ", " + std::to_string(base) + ", 'snapshot', 'test', " + seq +
        ", " + seq + ")");
    mesh_.Run(
        "INSERT INTO node_capability(branch_id, node_key, from_seq, status, evidence, adopted, "
        "likely_legacy) VALUES (" +
        id + ", " + std::to_string(node) + ", " + seq + ", 1, 'path', 0, 0)");
    mesh_.Run("UPDATE branch SET head_seq = " + seq + " WHERE branch_id = " + id);
    mesh_.Run("COMMIT");
  }
};

TEST_F(HistoryRoutesTest, CommitsAreListedNewestFirstAndFollowingNextVisitsEachOnce) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  for (int i = 0; i < 5; ++i) mesh_.Confirm(node, i % 2 == 0 ? "advert" : "relay");
  const Json all = GetJson("/api/commits");
  EXPECT_THAT(Column(all.at("commits"), "id"), ElementsAre("c6", "c5", "c4", "c3", "c2", "genesis"));
  EXPECT_EQ(all.at("total"), 6);
  EXPECT_EQ(all.at("commits").at(0).at("parent"), "c5");
  EXPECT_EQ(all.at("commits").at(0).at("branch"), "main");
  EXPECT_TRUE(all.at("commits").at(5).at("parent").is_null());
  std::vector<std::string> joined;
  std::string cursor;
  do {
    const Json page = GetJson("/api/commits?limit=2&cursor=" + cursor);
    for (const auto& id : Column(page.at("commits"), "id")) joined.push_back(id);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  } while (!cursor.empty() && joined.size() < 20);
  EXPECT_EQ(joined, Column(all.at("commits"), "id"));
}

TEST_F(HistoryRoutesTest, CommitsFilterByKindStreamAndActor) {
  mesh_.Confirm(mesh_.AddNode(KeyOf({1})));
  EXPECT_EQ(GetJson("/api/commits?kind=snapshot").at("total"), 1);
  EXPECT_EQ(GetJson("/api/commits?kind=merge").at("commits"), Json::array());
  EXPECT_EQ(GetJson("/api/commits?actor=test").at("total"), 1);
  EXPECT_EQ(GetJson("/api/commits?stream=multibyte").at("total"), 0);
  GetJson("/api/commits?branch=nowhere", 404);
  GetJson("/api/commits?cursor=nonsense", 400);
}

TEST_F(HistoryRoutesTest, ACommitTellsWhatItChangedFromWhatToWhat) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node, "advert");
  mesh_.Confirm(node, "relay");
  const Json first = GetJson("/api/commits/c2").at("changes");
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first.at(0).at("change"), "inserted");
  EXPECT_TRUE(first.at(0).at("before").is_null());
  const Json second = GetJson("/api/commits/seq:3").at("changes");
  EXPECT_EQ(second.at(0).at("entity_id"), KeyOf({1}).ToHex());
  EXPECT_EQ(second.at(0).at("change"), "updated");
  EXPECT_EQ(second.at(0).at("before").at("evidence"), "advert");
  EXPECT_EQ(second.at(0).at("after").at("evidence"), "relay");
  EXPECT_EQ(second.at(0).at("after").at("probability"), 1.0);
  GetJson("/api/commits/c99", 404);
  GetJson("/api/commits/seq:x", 404);
}

TEST_F(HistoryRoutesTest, TheChangesOfALargeCommitComeInPages) {
  std::vector<std::int64_t> nodes;
  for (int i = 1; i <= 7; ++i) nodes.push_back(mesh_.AddNode(KeyOf({i})));
  mesh_.Confirm(nodes[0]);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    mesh_.Run(
        "INSERT INTO node_capability(branch_id, node_key, from_seq, status, adopted, likely_legacy) VALUES "
        "(1, " +
        std::to_string(nodes[i]) + ", 2, 0, 0, 0)");
  }
  std::vector<std::string> joined;
  std::string cursor;
  do {
    const Json page = GetJson("/api/commits/c2?limit=3&cursor=" + cursor);
    for (const auto& id : Column(page.at("changes"), "entity_id")) joined.push_back(id);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  } while (!cursor.empty() && joined.size() < 20);
  EXPECT_EQ(joined.size(), 7U);
  EXPECT_TRUE(std::is_sorted(joined.begin(), joined.end()));
}

TEST_F(HistoryRoutesTest, AnEntityTellsItsStateThenAndItsWholeHistory) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node, "advert");
  mesh_.Confirm(node, "relay");
  const Json then = GetJson(Entity(KeyOf({1}), "?as_of=c2"));
  EXPECT_EQ(then.at("state").at("evidence"), "advert");
  EXPECT_EQ(then.at("as_of").at("commit"), "c2");
  EXPECT_TRUE(GetJson(Entity(KeyOf({1}), "?as_of=genesis")).at("state").is_null());
  const Json history = GetJson(Entity(KeyOf({1}))).at("history");
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history.at(0).at("to_commit"), "c3");
  EXPECT_TRUE(history.at(1).at("to_seq").is_null());
  EXPECT_EQ(history.at(1).at("state").at("status"), "confirmed");
  GetJson(Entity(KeyOf({2})), 404);
  GetJson("/api/entities/node/xyz", 400);
  GetJson("/api/entities/unicorn/1", 404);
}

TEST_F(HistoryRoutesTest, MicrosecondsTellCommitsOfOneMillisecondApart) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node, "advert");  // committed at 2 µs
  mesh_.Confirm(node, "relay");   // at 3 µs
  EXPECT_EQ(GetJson(Entity(KeyOf({1}), "?as_of=time:2us")).at("state").at("evidence"), "advert");
  EXPECT_EQ(GetJson(Entity(KeyOf({1}), "?as_of=time:3us")).at("state").at("evidence"), "relay");
}

TEST_F(HistoryRoutesTest, APinNamesACommit) {
  mesh_.Confirm(mesh_.AddNode(KeyOf({1})));
  mesh_.Run("INSERT INTO pin VALUES ('before-the-update', 2, 'test', 1, NULL)");
  EXPECT_EQ(GetJson(Entity(KeyOf({1}), "?as_of=pin:before-the-update")).at("as_of").at("commit_seq"), 2);
  GetJson(Entity(KeyOf({1}), "?as_of=pin:other"), 404);
}

TEST_F(HistoryRoutesTest, BelowTheFloorTheAnswerNamesTheFloor) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node, "advert");
  mesh_.Confirm(node, "relay");
  mesh_.Run("UPDATE meta SET value = '3' WHERE key = 'history_floor'");
  const Json gone = GetJson(Entity(KeyOf({1}), "?as_of=c2"), 410);
  EXPECT_EQ(gone.at("code"), "history_reclaimed");
  EXPECT_EQ(gone.at("floor_seq"), 3);
  EXPECT_EQ(gone.at("floor_commit"), "c3");
  EXPECT_TRUE(gone.contains("floor_time"));
  const Json commits = GetJson("/api/commits");
  EXPECT_EQ(commits.at("commits").at(0).at("readable"), true);
  EXPECT_EQ(commits.at("commits").at(1).at("readable"), false);
  EXPECT_TRUE(GetJson("/api/commits/c3").at("changes").is_null());
}

TEST_F(HistoryRoutesTest, ABranchSeesMainAsOfItsBaseAndWhatItWroteItself) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1})), other = mesh_.AddNode(KeyOf({2}));
  mesh_.Confirm(node, "advert");   // 2
  mesh_.Confirm(other, "relay");   // 3: the base
  AddBranch("what-if", 3, node);   // 4: suspected there
  mesh_.Confirm(other, "advert");  // 5: main goes on
  const Json list = GetJson("/api/multibyte?branch=what-if");
  EXPECT_THAT(Column(list.at("nodes"), "evidence"), ElementsAre("path", "relay"));
  EXPECT_THAT(Column(GetJson("/api/multibyte?branch=what-if&as_of=seq:3").at("nodes"), "evidence"),
              ElementsAre("advert", "relay"));
  const Json history = GetJson(Entity(KeyOf({1}), "?branch=what-if")).at("history");
  EXPECT_THAT(Column(history, "to_commit"), ElementsAre("b4", "null"));
  EXPECT_EQ(GetJson("/api/commits/b4").at("changes").at(0).at("change"), "updated");
  EXPECT_EQ(GetJson(Entity(KeyOf({1}))).at("history").size(), 1U);
  GetJson(Entity(KeyOf({1}), "?branch=what-if&as_of=seq:5"), 409);
  GetJson(Entity(KeyOf({1}), "?as_of=b4"), 409);
  GetJson("/api/multibyte?branch=nowhere", 404);
}

TEST_F(HistoryRoutesTest, HiddenNodesAreNotInCommitsAndEntities) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node);
  config_.node_blacklist = {KeyOf({1}).ToHex()};
  EXPECT_EQ(GetJson("/api/commits/c2").at("changes"), Json::array());
  GetJson(Entity(KeyOf({1})), 404);
}

}  // namespace
}  // namespace heliograph::server
