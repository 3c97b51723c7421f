#include <gmock/gmock.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;

class BranchRoutesTest : public RoutesTest {
 protected:
  /// A branch from the head of main, with one commit on which the node is suspected.
  void AddBranch(const std::string& name, std::int64_t node) {
    const std::string base = std::to_string(mesh_.Ask("SELECT head_seq FROM branch WHERE branch_id = 1"));
    const std::string seq = std::to_string(mesh_.Ask("SELECT max(commit_seq) + 1 FROM commit_log"));
    mesh_.Run("BEGIN");
    mesh_.Run("INSERT INTO branch(name, base_seq, head_seq, actor, created_at) VALUES ('" + name + "', " +
              base + ", " + base + ", 'test', 5)");
    const std::string id = std::to_string(mesh_.Ask("SELECT max(branch_id) FROM branch"));
    mesh_.Run(
        "INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us, "
        "committed_us) VALUES (" +
        seq + ", 'b" + seq + "', " + id + ", " + base + ", 'snapshot', 'test', " + seq + ", " + seq + ")");
    mesh_.Run(
        "INSERT INTO node_capability(branch_id, node_key, from_seq, status, evidence, adopted, "
        "likely_legacy) "
        "VALUES (" +
        id + ", " + std::to_string(node) + ", " + seq + ", 1, 'path', 0, 0)");
    mesh_.Run("UPDATE branch SET head_seq = " + seq + " WHERE branch_id = " + id);
    mesh_.Run("COMMIT");
  }
  Json Delete(const std::string& target, int status) {
    if (!router_) Start();
    Request request;
    request.method = Method::kDelete;
    request.path = target;
    request.headers = {{"X-API-Key", kKey}};
    const Response response = router_->Handle(std::move(request));
    EXPECT_EQ(response.status, status) << response.Text();
    return Json::parse(response.Text());
  }
};

TEST_F(BranchRoutesTest, BranchesAreListedMainFirst) {
  const std::int64_t node = mesh_.AddNode(KeyOf({1}));
  mesh_.Confirm(node);
  AddBranch("what-if", node);
  const Json list = GetJson("/api/branches");
  EXPECT_THAT(Column(list.at("branches"), "name"), ElementsAre("main", "what-if"));
  const Json one = GetJson("/api/branches/what-if");
  EXPECT_EQ(one.at("base"), "c2");
  EXPECT_EQ(one.at("head"), "b3");
  EXPECT_EQ(one.at("commits"), 1);
  mesh_.Run("UPDATE branch SET state = 'deleted', deleted_at = 9 WHERE branch_id = 2");
  EXPECT_EQ(GetJson("/api/branches").at("total"), 1);
  EXPECT_EQ(GetJson("/api/branches?deleted=1").at("total"), 2);
  GetJson("/api/branches/what-if", 404);
}

TEST_F(BranchRoutesTest, TheDifferenceNamesEachEntityAndWhoChangedIt) {
  const std::int64_t first = mesh_.AddNode(KeyOf({1})), second = mesh_.AddNode(KeyOf({2}));
  mesh_.Confirm(first, "relay");
  mesh_.Confirm(second, "relay");
  AddBranch("what-if", first);
  mesh_.Confirm(second, "advert");
  const Json diff = GetJson("/api/branches/what-if/diff");
  ASSERT_EQ(diff.at("differences").size(), 2U);
  const Json& on_branch = diff.at("differences").at(0);
  EXPECT_EQ(on_branch.at("entity_id"), KeyOf({1}).ToHex());
  EXPECT_EQ(on_branch.at("changed_on"), "branch");
  EXPECT_EQ(on_branch.at("base").at("evidence"), "relay");
  EXPECT_EQ(on_branch.at("branch").at("status"), "suspected");
  EXPECT_EQ(diff.at("differences").at(1).at("changed_on"), "main");
  EXPECT_EQ(diff.at("multibyte").at("main").at("confirmed"), 2);
  EXPECT_EQ(diff.at("multibyte").at("branch").at("suspected"), 1);
  const Json page = GetJson("/api/branches/what-if/diff?limit=1");
  const Json rest =
      GetJson("/api/branches/what-if/diff?limit=1&cursor=" + page.at("next").get<std::string>());
  EXPECT_EQ(rest.at("differences").at(0).at("entity_id"), KeyOf({2}).ToHex());
  EXPECT_TRUE(rest.at("next").is_null());
  GetJson("/api/branches/main/diff", 400);
  GetJson("/api/branches/nowhere/diff", 404);
}

TEST_F(BranchRoutesTest, RequestsGoToTheQueueAndSayWhereTheOutcomeWillBe) {
  const Json created = PostJson("/api/branches", R"({"name":"b","from":"c2"})", 202);
  EXPECT_EQ(created.at("statusUrl"), "/api/requests/" + created.at("requestId").get<std::string>());
  PostJson("/api/branches/b/merge", R"({"side":"branch"})", 202);
  PostJson("/api/branches/b/merge", "", 202);
  Delete("/api/branches/b", 202);
  PostJson("/api/pins", R"({"name":"p","commit":"seq:1"})", 202);
  Delete("/api/pins/p", 202);
  PostJson("/api/commits/c2/revert", "", 202);
  std::vector<std::string> payloads;
  for (const QueuedRequest& request : queue_.published)
    payloads.push_back(std::string(queue::Name(request.kind)) + " " + request.payload);
  EXPECT_THAT(payloads, ElementsAre(R"(branch-request {"action":"create","name":"b","from":"c2"})",
                                    R"(branch-request {"action":"merge","name":"b","side":"branch"})",
                                    R"(branch-request {"action":"merge","name":"b"})",
                                    R"(branch-request {"action":"delete","name":"b"})",
                                    R"(pin {"action":"set","name":"p","commit":"seq:1"})",
                                    R"(pin {"action":"remove","name":"p"})", R"(revert {"commit":"c2"})"));
}

TEST_F(BranchRoutesTest, WritesNeedTheKeyAndMakeSense) {
  EXPECT_EQ(Post("/api/branches", R"({"name":"b"})", "").status, 401);
  PostJson("/api/branches", "{}", 400);
  PostJson("/api/branches/b/merge", R"({"side":"left"})", 400);
  Delete("/api/branches/main", 400);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(BranchRoutesTest, PinsAreListed) {
  mesh_.Run("INSERT INTO pin VALUES ('p', 1, 'test', 1000, NULL)");
  const Json pin = GetJson("/api/pins").at("pins").at(0);
  EXPECT_EQ(pin.at("name"), "p");
  EXPECT_EQ(pin.at("commit"), "genesis");
}

TEST_F(BranchRoutesTest, RecoveryIsListedNewestFirst) {
  for (const char* action : {"rolled_forward", "cleaned_marker", "quarantined"})
    mesh_.Run(std::string("INSERT INTO recovery_audit(boot_id, at, action, ledger_id, for_actor, detail) "
                          "VALUES ('boot', 7, '") +
              action + "', 'x', 'somebody', 'applied')");
  const Json page = GetJson("/api/recovery?limit=2");
  EXPECT_THAT(Column(page.at("recovery"), "action"), ElementsAre("quarantined", "cleaned_marker"));
  EXPECT_EQ(page.at("total"), 3);
  EXPECT_EQ(page.at("recovery").at(0).at("for_actor"), "somebody");
  const Json rest = GetJson("/api/recovery?limit=2&cursor=" + page.at("next").get<std::string>());
  EXPECT_THAT(Column(rest.at("recovery"), "action"), ElementsAre("rolled_forward"));
}

}  // namespace
}  // namespace heliograph::server
