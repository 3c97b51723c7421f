#include <gmock/gmock.h>

#include <stdexcept>

#include "common/text.h"
#include "tests/unit/server/jobs_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Computed = tl::expected<ClusterJobResult, std::string>;

/// How the queue refuses.
enum class Refusal { kFull, kUnforeseen, kUncertain };
/// How a job ends when nothing is refused.
enum class Course { kPublishes, kFails, kIsCancelled };

/// Jobs whose files the queue refuses.
class JobFailuresTest : public JobsTest {
 protected:
  /// From the next publication on, after `spared`, the queue refuses `times`.
  void Refuse(Refusal how, int spared, int times) {
    const auto met = std::make_shared<int>(0);
    const auto throws_now = [spared, times, met] {
      const int number = (*met)++;
      return number >= spared && number < spared + times;
    };
    queue_.before = nullptr;
    queue_.after = nullptr;
    switch (how) {
      case Refusal::kFull:
        queue_.before = [throws_now] {
          if (throws_now()) throw ProblemError(503, "the queue is full", 5);
        };
        return;
      case Refusal::kUnforeseen:
        queue_.before = [throws_now] {
          if (throws_now()) throw std::runtime_error("nobody thought of this");
        };
        return;
      case Refusal::kUncertain:
        queue_.after = [throws_now](const Ulid& id) {
          if (throws_now()) throw UncertainRequest(id, "it may not be durable");
        };
    }
  }
  void Follow(Course course) {
    compute_ = [this, course](const ClusterJobOrder&, JobProgress&, std::stop_token) {
      ++computed_;
      if (course == Course::kFails) return Computed(tl::unexpected(std::string("no luck")));
      if (course == Course::kIsCancelled) scheduler_->Cancel(Newest().id);
      return Computed(Found({kWest, kEast}));
    };
  }
  ClusterJob Newest() const { return scheduler_->Jobs().front().job; }

  /// Turns as the thread makes them: what fails is tried again at the next look.
  void Look() {
    try {
      RunAll();
    } catch (const std::exception&) {
    }
  }
  /// Asks until the queue takes it, as a person would. Returns how often that took.
  int Insist(const ClusterJobOrder& order = {}) {
    for (int tries = 1; tries < 100; ++tries) {
      try {
        scheduler_->Submit(order);
        return tries;
      } catch (const std::exception&) {
      }
    }
    ADD_FAILURE() << "the queue took nothing";
    return 0;
  }
  void LookAndApply(int times) {
    for (int i = 0; i < times; ++i) {
      Look();
      ApplyQueue();
    }
  }
  void ExpectAllEnded() {
    for (const ClusterJobView& view : scheduler_->Jobs()) EXPECT_TRUE(IsFinished(view.job.state));
    EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM cluster_jobs WHERE finished_at IS NULL"), 0);
  }

  int computed_ = 0;
};

TEST_F(JobFailuresTest, WhicheverPublicationIsRefusedTheJobEndsAndTheNextOneRuns) {
  for (const Course course : {Course::kPublishes, Course::kFails, Course::kIsCancelled})
    for (const Refusal how : {Refusal::kFull, Refusal::kUnforeseen, Refusal::kUncertain})
      for (const int times : {1, 7})
        for (int spared = 0; spared < (course == Course::kPublishes ? 4 : 3); ++spared) {
          SCOPED_TRACE("course " + std::to_string(static_cast<int>(course)) + ", refusal " +
                       std::to_string(static_cast<int>(how)) + " of " + std::to_string(times) + " after " +
                       std::to_string(spared));
          Begin(TestSettings());
          Follow(course);
          Refuse(how, spared, times);
          Insist();
          LookAndApply(times + 3);
          ExpectAllEnded();
          Refuse(Refusal::kFull, 0, 0);
          computed_ = 0;
          EXPECT_FALSE(scheduler_->Submit({}).coalesced);
          LookAndApply(2);
          EXPECT_EQ(computed_, 1);
          ExpectAllEnded();
          if (HasFailure()) return;
        }
}

TEST_F(JobFailuresTest, AJobWhoseEndWaitsForTheQueueIsNotTakenForOneThatRuns) {
  Follow(Course::kFails);
  Insist();
  Refuse(Refusal::kFull, 1, 1000);
  Look();
  const Ulid first = Newest().id;
  EXPECT_EQ(scheduler_->Jobs().front().stage, "waiting for the queue");
  EXPECT_EQ(scheduler_->Cancel(first), CancelOutcome::kFinished);
  // Who asks now is served by a job of its own, as soon as there is room.
  EXPECT_TRUE(scheduler_->Submit({}).coalesced);
  Refuse(Refusal::kFull, 0, 0);
  LookAndApply(2);
  EXPECT_EQ(computed_, 2);
  EXPECT_THAT(scheduler_->Jobs(), SizeIs(2));
  ExpectAllEnded();
}

TEST_F(JobFailuresTest, ARunThatMayBeInTheQueueIsWaitedFor) {
  Insist();
  Refuse(Refusal::kUncertain, 2, 1);
  Look();
  ASSERT_EQ(queue_.published.back().kind, queue::Kind::kClusterSnapshot);
  EXPECT_EQ(Newest().state, ClusterJobState::kRunning);
  EXPECT_EQ(scheduler_->Cancel(Newest().id), CancelOutcome::kTooLate);
  LookAndApply(2);
  EXPECT_EQ(Newest().state, ClusterJobState::kSucceeded);
  EXPECT_EQ(mesh_.Ask("SELECT count(*) FROM cluster_jobs WHERE state='succeeded' AND run_id=1"), 1);
}

TEST_F(JobFailuresTest, ARunThatIsRefusedFailsItsJobWithTheReason) {
  Insist();
  Refuse(Refusal::kUnforeseen, 2, 1);
  Look();
  EXPECT_EQ(Newest().state, ClusterJobState::kFailed);
  EXPECT_THAT(Newest().error, HasSubstr("nobody thought of this"));
}

TEST_F(JobFailuresTest, ACancelledJobDoesNotRunThoughTheQueueIsFull) {
  Follow(Course::kPublishes);
  Insist();
  Refuse(Refusal::kFull, 0, 3);
  EXPECT_EQ(scheduler_->Cancel(Newest().id), CancelOutcome::kCancelled);
  LookAndApply(5);
  EXPECT_EQ(computed_, 0);
  EXPECT_EQ(Newest().state, ClusterJobState::kCancelled);
  ExpectAllEnded();
}

TEST_F(JobFailuresTest, AScheduledJobThatTheQueueRefusesIsTriedAgainAtTheNextLook) {
  ClusterJobScheduler::Settings settings = TestSettings();
  settings.scheduled = {ClusterCollection::kMesh};
  settings.first_after = std::chrono::milliseconds(0);
  settings.interval = std::chrono::hours(1);
  Begin(settings);
  Refuse(Refusal::kFull, 0, 1);
  Look();
  EXPECT_THAT(scheduler_->Jobs(), SizeIs(0));
  LookAndApply(2);
  ASSERT_THAT(scheduler_->Jobs(), SizeIs(1));
  ExpectAllEnded();
}

TEST_F(JobFailuresTest, AnErrorOfAnyLengthAndOfAnyBytesIsStored) {
  for (std::string error :
       {std::string(3000, 'x'), std::string(1999, 'x') + "\xC3\xA4", std::string("\xFF"), std::string()}) {
    compute_ = [&](const ClusterJobOrder&, JobProgress&, std::stop_token) {
      return Computed(tl::unexpected(error));
    };
    Insist();
    LookAndApply(2);
    EXPECT_EQ(Newest().state, ClusterJobState::kFailed);
    EXPECT_TRUE(IsValidUtf8(Newest().error));
    ExpectAllEnded();
  }
}

TEST_F(JobFailuresTest, StatisticsThatCannotBeStoredFailTheJobAndNotItsEnd) {
  compute_ = [&](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    ClusterJobResult result;
    result.statistics = R"({"much":")" + std::string(kMaxClusterParameters, 'x') + R"("})";
    return Computed(result);
  };
  Insist();
  LookAndApply(2);
  EXPECT_EQ(Newest().state, ClusterJobState::kFailed);
  EXPECT_THAT(Newest().error, HasSubstr("statistics"));
  ExpectAllEnded();
}

TEST_F(JobFailuresTest, WhoAskedForAnotherRunGetsItThoughTheFirstOneFailed) {
  Follow(Course::kFails);
  compute_ = [this, compute = compute_](const ClusterJobOrder& order, JobProgress& progress,
                                        std::stop_token stop) {
    ClusterJobOrder another;
    another.requested_by = "http:another";
    if (computed_ == 0) {
      EXPECT_TRUE(scheduler_->Submit(another).job.rerun);
    }
    return compute(order, progress, stop);
  };
  Insist();
  Refuse(Refusal::kFull, 2, 2);  // neither is a full queue a reason to forget it
  LookAndApply(4);
  EXPECT_EQ(computed_, 2);
  EXPECT_EQ(Newest().requested_by, "http:another");
  ExpectAllEnded();
}

TEST_F(JobFailuresTest, CancellingDropsTheRunsThatWereAskedForBeforeAndNoneThatIsAskedForLater) {
  bool ask_later = false;
  compute_ = [&](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    if (computed_++ == 0) {
      scheduler_->Submit({});
      scheduler_->Cancel(Newest().id);
      if (ask_later) scheduler_->Submit({});
    }
    return Computed(Found({kWest}));
  };
  Insist();
  LookAndApply(3);
  EXPECT_EQ(computed_, 1);
  ask_later = true;
  computed_ = 0;
  Insist();
  LookAndApply(3);
  EXPECT_EQ(computed_, 2);
}

TEST_F(JobFailuresTest, AJobThatIsPickedWhileTheServerStopsDoesNotBegin) {
  ClusterJobScheduler::Settings settings = TestSettings();
  settings.scheduled = {ClusterCollection::kMesh};
  settings.first_after = std::chrono::milliseconds(0);
  settings.is_ready = [this](ClusterCollection) {
    scheduler_->Stop();  // in the middle of a turn
    return true;
  };
  Begin(settings);
  Follow(Course::kPublishes);
  Insist();
  Look();
  EXPECT_EQ(computed_, 0);
}

TEST_F(JobFailuresTest, ARunSaysWhichDatabaseItWasComputedFrom) {
  Insist();
  Look();
  EXPECT_EQ(queue_.published.back().epoch, "of the input");
  EXPECT_EQ(queue_.published.back().watermark, 0);
}

TEST_F(JobFailuresTest, AnOrderThatCannotBeCarriedOutIsRefusedAtOnce) {
  ClusterJobScheduler::Settings settings = TestSettings();
  settings.objection = [](const ClusterJobOrder&) { return std::optional<std::string>("it makes no sense"); };
  Begin(settings);
  EXPECT_EQ(PostJson("/api/cluster-jobs", "{}", 400).at("detail"), "it makes no sense");
  EXPECT_THAT(queue_.published, SizeIs(0));
}

TEST_F(JobFailuresTest, AnActorIsOnePrintableLine) {
  for (const char* actor : {R"(a\nb)", R"(a\u0000b)", R"(a\u007f)"})
    PostJson("/api/cluster-jobs", std::string(R"({"actor":")") + actor + R"("})", 400);
  PostJson("/api/cluster-jobs", R"({"actor":")" + std::string(500, 'a') + R"("})", 400);
  EXPECT_THAT(queue_.published, SizeIs(0));
  Ask(R"({"actor":"Änn"})");
  EXPECT_EQ(Newest().requested_by, "http:Änn");
}

}  // namespace
}  // namespace heliograph::server
