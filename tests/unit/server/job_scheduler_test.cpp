#include <gmock/gmock.h>

#include "server/history/as_of.h"
#include "server/state/cluster_rows.h"
#include "tests/unit/server/jobs_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using JobSchedulerTest = JobsTest;

TEST_F(JobSchedulerTest, AJobIsPendingAtOnceThenRunsAndEndsWithItsRun) {
  const std::string id = Ask();
  EXPECT_EQ(Job(id).at("state"), "pending");
  ASSERT_EQ(queue_.published.size(), 1U);
  EXPECT_EQ(queue_.published[0].kind, queue::Kind::kClusterJob);
  RunAll();
  EXPECT_EQ(Job(id).at("state"), "running");
  EXPECT_EQ(Job(id).at("stage"), "waiting for the ingestor");
  EXPECT_EQ(queue_.published.back().kind, queue::Kind::kClusterSnapshot);
  ApplyQueue();
  RunAll();
  const Json job = Job(id);
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("run"), 1);
  EXPECT_EQ(job.at("statistics").at("new"), 2);
  EXPECT_EQ(job.at("statistics").at("edges"), 17);
}

TEST_F(JobSchedulerTest, ASecondJobThatDoesTheSameIsTheFirstOne) {
  const std::string id = Ask();
  const Json again = PostJson("/api/cluster-jobs", "{}", 202);
  EXPECT_EQ(again.at("id"), id);
  EXPECT_EQ(again.at("coalesced"), true);
  EXPECT_NE(Ask(R"({"collection":"items"})"), id);
  EXPECT_NE(Ask(R"({"parameters":{"resolution":3}})"), id);
  EXPECT_NE(Ask(R"({"kind":"choose-resolution"})"), id);
}

TEST_F(JobSchedulerTest, OneThatIsAskedForWhileAnotherRunsFollowsIt) {
  const std::string id = Ask();
  RunAll();
  EXPECT_EQ(PostJson("/api/cluster-jobs", "{}", 202).at("rerun"), true);
  ApplyQueue();
  RunAll();
  const Json jobs = GetJson("/api/cluster-jobs").at("jobs");
  EXPECT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs.at(1).at("id"), id);
}

TEST_F(JobSchedulerTest, AFailedComputationSaysWhy) {
  compute_ = [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    return tl::expected<ClusterJobResult, std::string>(tl::unexpected(std::string("no packets yet")));
  };
  const std::string id = Ask();
  RunAll();
  EXPECT_EQ(Job(id).at("state"), "failed");
  EXPECT_EQ(Job(id).at("error"), "no packets yet");
  ApplyQueue();
  EXPECT_EQ(Job(id).at("state"), "failed");
}

TEST_F(JobSchedulerTest, AnExceptionEndsTheJobAndNotTheServer) {
  compute_ = [](const ClusterJobOrder&, JobProgress&,
                std::stop_token) -> tl::expected<ClusterJobResult, std::string> { throw std::bad_alloc(); };
  const std::string id = Ask();
  RunAll();
  EXPECT_EQ(Job(id).at("state"), "failed");
}

TEST_F(JobSchedulerTest, ARunWithoutClustersIsNotPublished) {
  compute_ = [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    return tl::expected<ClusterJobResult, std::string>(Found({}));
  };
  const std::string id = Ask();
  RunAll();
  EXPECT_EQ(Job(id).at("state"), "failed");
  for (const QueuedRequest& published : queue_.published) EXPECT_EQ(published.kind, queue::Kind::kClusterJob);
}

TEST_F(JobSchedulerTest, ARunThatIsNotAppliedFailsItsJob) {
  const std::string id = Ask();
  RunAll();
  outcome_ = "rejected";
  queue_.published.pop_back();  // the ingestor never gets it
  ApplyQueue();
  RunAll();
  EXPECT_EQ(Job(id).at("state"), "failed");
  EXPECT_THAT(Job(id).at("error").get<std::string>(), HasSubstr("so it is"));
}

TEST_F(JobSchedulerTest, ACancelledJobEndsWithoutARun) {
  const std::string waiting = Ask();
  EXPECT_EQ(Delete("/api/cluster-jobs/" + waiting).status, 202);
  EXPECT_EQ(Job(waiting).at("state"), "cancelled");
  EXPECT_EQ(Delete("/api/cluster-jobs/" + waiting).status, 409);
  std::string running;
  compute_ = [&](const ClusterJobOrder&, JobProgress& progress, std::stop_token) {
    progress.Report("partition", 0.5);
    EXPECT_EQ(Job(running).at("stage"), "partition");
    EXPECT_EQ(Job(running).at("progress"), 0.5);
    EXPECT_EQ(Delete("/api/cluster-jobs/" + running).status, 202);
    return tl::expected<ClusterJobResult, std::string>(Found({kWest}));
  };
  running = Ask();
  RunAll();
  EXPECT_EQ(Job(running).at("state"), "cancelled");
}

TEST_F(JobSchedulerTest, APublishedRunCannotBeCancelled) {
  const std::string id = Ask();
  RunAll();
  EXPECT_EQ(Delete("/api/cluster-jobs/" + id).status, 409);
  EXPECT_EQ(Delete("/api/cluster-jobs/" + Ulid::Generate(At(0)).ToText()).status, 404);
}

TEST_F(JobSchedulerTest, JobsOfAnotherProcessEndAsInterrupted) {
  const std::string id = Ulid::Generate(At(0)).ToText();
  mesh_.Run(
      "INSERT INTO cluster_jobs(job_id, branch_id, collection, kind, state, trigger_kind, instance, "
      "requested_by,"
      " parameters, requested_at, statistics) VALUES ('" +
      id + "', 1, 'mesh', 'run', 'running', 'request', 'an earlier boot', 'a', '{}', 1, '{}')");
  RunAll();
  ASSERT_EQ(queue_.published.size(), 1U);
  ApplyQueue();
  EXPECT_EQ(Job(id).at("state"), "failed");
  EXPECT_THAT(Job(id).at("error").get<std::string>(), HasSubstr("interrupted"));
  RunAll();
  EXPECT_TRUE(queue_.ids.empty());
}

TEST_F(JobSchedulerTest, TheScheduleAsksForJobsToo) {
  ClusterJobScheduler::Settings settings;
  settings.boot_id = "boot";
  settings.scheduled = {ClusterCollection::kMesh};
  settings.first_after = std::chrono::milliseconds(0);
  ClusterJobScheduler scheduled(
      [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
        return tl::expected<ClusterJobResult, std::string>(Found({kWest}));
      },
      queue_, readers_, settings);
  while (scheduled.RunTurn()) {
  }
  ASSERT_EQ(scheduled.Jobs().size(), 1U);
  EXPECT_EQ(scheduled.Jobs()[0].job.trigger, ClusterJobTrigger::kSchedule);
}

TEST_F(JobSchedulerTest, AJobOnABranchBeginsThereEndsThereAndLeavesMainAsItIs) {
  Apply(RunOf({kWest, kEast}));
  const std::int64_t branch = AddBranch("what-if");
  const std::string main_before = Get("/api/clusters").Text();
  BranchLine line;
  compute_ = [&](const ClusterJobOrder& order, JobProgress&, std::stop_token) {
    line = order.line;
    ClusterJobResult found = Found({{1, 2, 3}, {4, 5, 6}, kEast});
    found.base_seq = order.line.head_seq;
    return tl::expected<ClusterJobResult, std::string>(std::move(found));
  };
  const std::string id = Ask(R"({"branch":"what-if"})");
  RunAll();
  EXPECT_EQ(line.branch_id, branch);
  EXPECT_EQ(line.base_seq, Head());
  EXPECT_EQ(queue_.published.back().branch_id, branch);
  EXPECT_EQ(queue_.published.back().base_commit_seq, Head(branch));
  EXPECT_EQ(Job(id).at("branch"), "what-if");
  ApplyQueue();
  RunAll();
  const Json job = Job(id);
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("branch"), "what-if");
  EXPECT_EQ(GetJson("/api/clusters?branch=what-if").at("run"), job.at("run"));
  EXPECT_EQ(GetJson("/api/clusters?branch=what-if").at("total"), 3);
  EXPECT_EQ(Get("/api/clusters").Text(), main_before);
  EXPECT_THAT(Column(GetJson("/api/cluster-jobs?branch=what-if").at("jobs"), "id"), ElementsAre(id));
  EXPECT_EQ(GetJson("/api/cluster-jobs?branch=main").at("total"), 0);
}

TEST_F(JobSchedulerTest, ARunOnABranchBeginsFromTheClustersThatTheBranchHas) {
  Apply(RunOf({kWest, kEast}));
  const std::int64_t branch = AddBranch("what-if");
  Apply(RunOf({{1, 2, 3, 4}, kEast}));
  const auto groups = [&](std::int64_t of) {
    return readers_.Read([&](ReaderConnection& reader) {
      return ReadActiveMeshRun(reader, ClusterMomentOn(*LiveBranch(reader, of), std::nullopt))->groups;
    });
  };
  EXPECT_EQ(groups(branch).front().size(), 6U) << "those of main at the branch's base";
  Apply(RunOf({{1, 2, 3}, kEast}), branch);
  EXPECT_EQ(groups(branch).front().size(), 3U);
  EXPECT_EQ(groups(1).front().size(), 4U);
}

TEST_F(JobSchedulerTest, JobsOnTwoBranchesAreTwoJobs) {
  AddBranch("what-if");
  const std::string on_main = Ask(), on_branch = Ask(R"({"branch":"what-if"})");
  EXPECT_NE(on_main, on_branch);
  EXPECT_EQ(PostJson("/api/cluster-jobs", R"({"branch":"main"})", 202).at("id"), on_main);
  EXPECT_EQ(PostJson("/api/cluster-jobs", R"({"branch":"what-if"})", 202).at("id"), on_branch);
  PostJson("/api/cluster-jobs", R"({"branch":"nowhere"})", 404);
}

TEST_F(JobSchedulerTest, AJobWhoseBranchIsDeletedEndsWithTheReason) {
  const auto remove = [&] {
    Apply(queue::Kind::kBranchRequest, "branches", R"({"action":"delete","name":"what-if"})");
  };
  AddBranch("what-if");
  const std::string waiting = Ask(R"({"branch":"what-if"})");
  remove();
  RunAll();
  AddBranch("what-if");
  compute_ = [&](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    remove();
    return tl::expected<ClusterJobResult, std::string>(Found({kWest, kEast}));
  };
  const std::string running = Ask(R"({"branch":"what-if"})");
  RunAll();
  EXPECT_NE(queue_.published.back().kind, queue::Kind::kClusterSnapshot);
  AddBranch("what-if");
  compute_ = [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    return tl::expected<ClusterJobResult, std::string>(Found({kWest, kEast}));
  };
  const std::string published = Ask(R"({"branch":"what-if"})");
  RunAll();
  EXPECT_EQ(queue_.published.back().kind, queue::Kind::kClusterSnapshot);
  remove();
  outcome_ = "rejected";  // as the ingestor says of a run for a branch that is gone
  ApplyQueue();
  RunAll();
  ApplyQueue();
  for (const std::string& id : {waiting, running, published}) {
    const Json job = Job(id);
    EXPECT_EQ(job.at("state"), "failed");
    EXPECT_THAT(job.at("error").get<std::string>(), HasSubstr("branch what-if"));
  }
  EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM cluster_jobs WHERE state='failed' AND branch_id<>1"), 3);
  EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM cluster_runs"), 0);
}

TEST_F(JobSchedulerTest, AnInterruptedJobOfADeletedBranchEndsToo) {
  const std::int64_t branch = AddBranch("what-if");
  const std::string id = Ulid::Generate(At(0)).ToText();
  mesh_.Run(
      "INSERT INTO cluster_jobs(job_id, branch_id, collection, kind, state, trigger_kind, instance, "
      "requested_by, parameters, requested_at, statistics) VALUES ('" +
      id + "', " + std::to_string(branch) +
      ", 'mesh', 'run', 'running', 'request', 'an earlier boot', 'a', '{}', 1, '{}')");
  Apply(queue::Kind::kBranchRequest, "branches", R"({"action":"delete","name":"what-if"})");
  RunAll();
  ApplyQueue();
  EXPECT_EQ(Job(id).at("state"), "failed");
  EXPECT_EQ(Job(id).at("branch"), "what-if");
}

TEST_F(JobSchedulerTest, RefusesAnOrderThatMakesNoSense) {
  for (const char* body : {R"({"collection":"stars"})", R"({"kind":"guess"})", R"({"parameters":7})", "[]"})
    PostJson("/api/cluster-jobs", body, 400);
  EXPECT_EQ(Post("/api/cluster-jobs", "{}", "").status, 401);
  GetJson("/api/cluster-jobs/it", 400);
  GetJson("/api/cluster-jobs/" + Ulid::Generate(At(0)).ToText(), 404);
}

TEST_F(JobSchedulerTest, PagesOfJobsConcatenateToTheWhole) {
  compute_ = [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    return tl::expected<ClusterJobResult, std::string>(tl::unexpected(std::string("no")));
  };
  std::vector<std::string> asked;
  for (int i = 0; i < 5; ++i) {
    asked.push_back(Ask());
    RunAll();
    if (i == 2) ApplyQueue();
  }
  std::vector<std::string> joined;
  std::string cursor;
  do {
    const Json page = GetJson("/api/cluster-jobs?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& id : Column(page.at("jobs"), "id")) joined.push_back(id);
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  } while (!cursor.empty());
  std::sort(asked.rbegin(), asked.rend());
  EXPECT_EQ(joined, asked);
}

}  // namespace
}  // namespace heliograph::server
