#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/cluster_job.h"
#include "common/cluster_override.h"

namespace heliograph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ClusterOverride On(OverrideAction action) {
  ClusterOverride request;
  request.action = action;
  request.reason = "because";
  if (action == OverrideAction::kUndo) {
    request.undoes = Ulid::Parse("01KSR4920047HJ6SPXJPE9STQA");
    return request;
  }
  request.cluster = "the-bay";
  if (action == OverrideAction::kMerge) request.other = "the-dale";
  if (action == OverrideAction::kRename) request.title = "The Bay";
  if (action == OverrideAction::kExclude || action == OverrideAction::kInclude ||
      action == OverrideAction::kSplit)
    request.members = {"a", "b"};
  return request;
}

TEST(ClusterOverride, OfEveryActionComesBackAsItWent) {
  for (int action = 0; action <= static_cast<int>(OverrideAction::kUndo); ++action) {
    const ClusterOverride request = On(static_cast<OverrideAction>(action));
    const auto decoded = DecodeClusterOverride(EncodeClusterOverride(request));
    ASSERT_TRUE(decoded) << Name(request.action) << ": " << decoded.error();
    EXPECT_EQ(*decoded, request);
  }
}

TEST(ClusterOverride, RefusesMembersOfAnotherAction) {
  auto json = nlohmann::json::parse(EncodeClusterOverride(On(OverrideAction::kClose)));
  json["title"] = "The Bay";
  const auto decoded = DecodeClusterOverride(json.dump());
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error(), HasSubstr("title"));
}

TEST(ClusterOverride, RefusesWhatMakesNoSense) {
  for (const char* text :
       {"", "[]", "{}", R"({"action":"shout","cluster":"a"})", R"({"action":"close"})",
        R"({"action":"close","cluster":"  "})", R"({"action":"rename","cluster":"a","title":""})",
        R"({"action":"rename","cluster":"a","title":"a\nb"})",
        R"({"action":"exclude","cluster":"a","members":[]})",
        R"({"action":"exclude","cluster":"a","members":["x","x"]})",
        R"({"action":"exclude","cluster":"a","members":[7]})", R"({"action":"merge","cluster":"a"})",
        R"({"action":"undo","undoes":"it"})", R"({"action":"undo"})"})
    EXPECT_FALSE(DecodeClusterOverride(text)) << text;
}

TEST(ClusterOverride, APublicKeyIsTheSameMemberInAnyCase) {
  const std::string key(64, 'a'), upper(64, 'A');
  ClusterOverride request = On(OverrideAction::kInclude);
  request.members = {upper, "An Item"};
  EXPECT_THAT(DecodeClusterOverride(EncodeClusterOverride(request))->members, ElementsAre("An Item", key));
  request.members = {key, upper};
  const auto decoded = DecodeClusterOverride(EncodeClusterOverride(request));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error(), HasSubstr("twice"));
}

ClusterJob Running() {
  ClusterJob job;
  job.id = *Ulid::Parse("01KSR4920047HJ6SPXJPE9STQA");
  job.state = ClusterJobState::kRunning;
  job.requested_by = "somebody";
  job.requested_at = UtcMillis(std::chrono::milliseconds(1'790'000'000'000));
  job.started_at = job.requested_at;
  job.parameters = R"({"resolution":1.5})";
  return job;
}

TEST(ClusterJob, ComesBackAsItWent) {
  const auto decoded = DecodeClusterJob(EncodeClusterJob(Running()));
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(*decoded, Running());
}

TEST(ClusterJob, EndsExactlyWhenItIsFinished) {
  ClusterJob job = Running();
  job.finished_at = job.requested_at;
  EXPECT_FALSE(DecodeClusterJob(EncodeClusterJob(job)));
  job.state = ClusterJobState::kCancelled;
  EXPECT_TRUE(DecodeClusterJob(EncodeClusterJob(job)));
  job.state = ClusterJobState::kFailed;
  EXPECT_FALSE(DecodeClusterJob(EncodeClusterJob(job)));
  job.error = "no luck";
  EXPECT_TRUE(DecodeClusterJob(EncodeClusterJob(job)));
}

}  // namespace
}  // namespace heliograph
