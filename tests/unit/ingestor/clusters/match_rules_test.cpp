#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ingestor/clusters/lineage_story.h"

namespace heliograph::ingestor {
namespace {

using ::testing::HasSubstr;

TEST(PlainJaccard, DissolvesFourMembersThatGainFive) {
  LineageStory story(0, MatchRule::kPlainJaccard);
  const auto first = story.Run({From(1, 4)});
  const auto next = story.Run({From(1, 9)});
  EXPECT_NE(next.tracks[0], first.tracks[0]);
  EXPECT_EQ(story.Count(next, LineageOutcome::kDissolved), 1U);
}

TEST(PlainJaccard, TakesHalfAsEnough) {
  LineageStory story(0, MatchRule::kPlainJaccard);
  const auto first = story.Run({From(1, 4)});
  EXPECT_EQ(story.Run({From(1, 8)}).tracks, first.tracks);
}

TEST(PlainJaccard, SettlesATieWithoutRegardToTheOrder) {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
    LineageStory story(seed, MatchRule::kPlainJaccard);
    const auto first = story.Run({From(1, 4)});
    const auto next = story.Run({{1, 2}, {3, 4}});
    const std::size_t keeper = story.Keys({1, 2}).front() < story.Keys({3, 4}).front() ? 0 : 1;
    EXPECT_EQ(next.tracks[keeper], first.tracks[0]);
  }
}

TEST(PlainJaccard, ForgetsWhatWasAway) {
  LineageStory story(0, MatchRule::kPlainJaccard);
  const auto first = story.Run({From(1, 9), From(11, 15)});
  story.Run({From(11, 15)}, From(1, 9));
  EXPECT_NE(story.Run({From(1, 9), From(11, 15)}).tracks[0], first.tracks[0]);
}

TEST(MemoryRule, CallsWhatASmallTrackBecomesInALargeOneAbsorbed) {
  LineageStory story(0);
  const auto first = story.Run({From(1, 40), From(51, 53)});
  const auto next = story.Run({From(1, 40) + From(51, 53)});
  EXPECT_EQ(story.Of(next, 0).kind, LineageClass::kAbsorb);
  EXPECT_EQ(story.Dissolved(next, *first.tracks[1]).kind, LineageClass::kAbsorb);
}

TEST(MemoryRule, CallsWhatALargeTrackLosesShed) {
  LineageStory story(0);
  story.Run({From(1, 40)});
  const auto next = story.Run({From(1, 37), From(38, 40)});
  EXPECT_EQ(story.Of(next, 0).kind, LineageClass::kShed);
  EXPECT_EQ(story.Of(next, 1).kind, LineageClass::kShed);
}

TEST(MemoryRule, TakesARemnantOfATrackForNoMerge) {
  LineageStory story(0);
  const auto first = story.Run({From(1, 20), From(31, 50)});
  // Of the first track two are left, and both are in the other.
  const auto next = story.Run({From(1, 2) + From(31, 50)});
  EXPECT_EQ(story.Dissolved(next, *first.tracks[0]).kind, LineageClass::kEnd);
  EXPECT_EQ(story.Of(next, 0).kind, LineageClass::kContinuation);
}

TEST(MemoryRule, TakesAClusterOfNewcomersWithOneKnownMemberForABirth) {
  LineageStory story(0);
  story.Run({From(1, 20)});
  const auto next = story.Run({From(1, 19), From(20, 40)});
  EXPECT_EQ(story.Of(next, 1).kind, LineageClass::kBirth);
}

TEST(MemoryRule, ConfirmsASplitThatLasts) {
  LineageStory story(0);
  story.Run({From(1, 20)});
  story.Run({From(1, 14), From(15, 20)});
  const auto next = story.Run({From(1, 14), From(15, 20)});
  ASSERT_EQ(next.settled.size(), 2U);
  for (const Settlement& settlement : next.settled) EXPECT_EQ(settlement.state, DecisionState::kConfirmed);
}

TEST(MemoryRule, EndsATrackThatIsAwayForLong) {
  LineageStory story(0);
  const auto first = story.Run({From(1, 9), From(11, 15)});
  for (std::size_t i = 0; i <= kDormantRuns + 1; ++i) story.Run({From(11, 15)}, From(1, 9));
  EXPECT_FALSE(story.book.standings().contains(*first.tracks[0]));
  EXPECT_NE(story.Run({From(1, 9), From(11, 15)}).tracks[0], first.tracks[0]);
}

TEST(MemoryRule, EndsATrackThatIsAwayForTwoWeeksOfDataTime) {
  LineageStory story(0);
  story.data_time = UtcMillis(std::chrono::hours(1));
  const TrackKey passing = *story.Run({From(1, 5), From(11, 15)}).tracks[1];
  story.Run({From(1, 5)}, From(11, 15));
  *story.data_time += kDormantTime;
  story.Run({From(1, 5)}, From(11, 15));
  EXPECT_EQ(story.Status(passing), TrackStatus::kDormant);
  *story.data_time += std::chrono::milliseconds(1);
  EXPECT_EQ(story.Run({From(1, 5)}, From(11, 15)).standings.at(passing).status, TrackStatus::kEnded);
}

TEST(MemoryRule, TrustsOlderClustersLess) {
  LineageStory story(0);
  story.Run({From(1, 5), From(11, 15)});
  for (int i = 0; i < 3; ++i) story.Run({From(1, 5)}, From(11, 15));
  const RunConclusion back = story.Run({From(1, 5), From(11, 15)});
  EXPECT_NEAR(story.Of(back, 1).figures.score, 0.97 * 0.97 * 0.97, 1e-9);
}

TEST(MemoryRule, ASingleSurvivorOfATrackMakesNoMerge) {
  LineageStory story(0);
  story.Run({From(1, 3), From(11, 12)});
  EXPECT_EQ(story.Of(story.Run({From(1, 3) + Cast{11}}), 0).kind, LineageClass::kAbsorb);
}

TEST(MemoryRule, KeepsNoRunThatNoTrackRemembers) {
  LineageStory story(0);
  for (int i = 0; i < 30; ++i) story.Run({From(1, 9)});
  EXPECT_EQ(story.book.world().runs.size(), kRememberedSnapshots);
}

TEST(MemoryRule, SaysWhyInWords) {
  LineageStory story(0);
  story.Run({From(1, 20), From(21, 24)});
  const auto next = story.Run({From(1, 24)});
  EXPECT_THAT(Reason(story.Of(next, 0)), HasSubstr("a merge"));
  EXPECT_THAT(Reason(story.Of(next, 0)), HasSubstr("Keeps 20 members"));
}

TEST(Constraints, LeaveAPinnedMemberOutOfTheMatch) {
  LineageStory story(0);
  const auto first = story.Run({From(1, 6), From(11, 16)});
  for (const int member : {1, 2, 3, 4}) story.constraints.pinned[story.Key(member)] = *first.tracks[1];
  // Without the pins the four would take the second cluster for the first track.
  const auto next = story.Run({From(5, 6), From(1, 4) + From(11, 12)});
  EXPECT_EQ(next.tracks, first.tracks);
}

TEST(Constraints, GiveAClusterOfPinnedMembersToTheirTrack) {
  LineageStory story(0);
  story.Run({From(1, 6)});
  const TrackKey by_hand{77};
  for (const int member : {1, 2, 3}) story.constraints.pinned[story.Key(member)] = by_hand;
  const auto next = story.Run({From(1, 3), From(4, 6)});
  EXPECT_EQ(next.tracks[0], by_hand);
}

TEST(Constraints, LetATrackThatAPersonMergedGoOnBelowTheOther) {
  LineageStory story(0);
  const auto first = story.Run({From(1, 6), From(11, 16)});
  story.book.SetStanding(*first.tracks[1], {TrackStatus::kMerged, first.tracks[0], true, {}});
  const auto next = story.Run({From(1, 6), From(11, 16)});
  EXPECT_EQ(next.tracks, first.tracks);
  EXPECT_EQ(story.Status(*first.tracks[1]), TrackStatus::kMerged);
}

TEST(TrackBook, ForgetsABeginningThatNobodySawAgain) {
  LineageStory story(0);
  story.Run({From(1, 5)});
  const TrackKey flicker = *story.Run({From(1, 5), From(11, 13)}).tracks[1];
  const RunConclusion without = story.Run({From(1, 5)}, From(11, 13));
  EXPECT_EQ(without.standings.at(flicker).status, TrackStatus::kEnded);
  EXPECT_EQ(story.book.world().tracks.size(), 1U);
  EXPECT_NE(*story.Run({From(1, 5), From(11, 13)}).tracks[1], flicker);
}

TEST(TrackBook, RemembersFromABoundedNumberOfRuns) {
  LineageStory story(0);
  for (int i = 0; i < 200; ++i) {
    const int first = 10 + 3 * (i % 60);
    const Cast passing = From(first, first + 2);
    story.Run({From(1, 5), passing});
    story.Run({From(1, 5), passing});  // so that its beginning is confirmed
    story.Run({From(1, 5)}, passing);
    EXPECT_LE(story.book.world().runs.size(), kDormantSightings + kForgottenAge + 1);
    EXPECT_LE(story.book.world().tracks.size(), kDormantSightings + 2);
  }
}

TEST(TrackBook, OfManyDormantTracksTheLongestAwayEnd) {
  LineageStory story(0);
  std::vector<TrackKey> passed;
  for (int i = 0; i <= static_cast<int>(kDormantSightings); ++i) {
    const Cast passing = From(10 + 3 * i, 12 + 3 * i);
    passed.push_back(*story.Run({From(1, 5), passing}).tracks[1]);
    story.Run({From(1, 5), passing});
    story.Run({From(1, 5)}, passing);
  }
  EXPECT_EQ(story.Run({From(1, 5)}).standings.at(passed[0]).status, TrackStatus::kEnded);
  EXPECT_EQ(story.Status(passed[1]), TrackStatus::kDormant);
  EXPECT_EQ(*story.Run({From(1, 5), From(13, 15)}).tracks[1], passed[1]);
}

}  // namespace
}  // namespace heliograph::ingestor
