#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ingestor/clusters/lineage_story.h"

namespace heliograph::ingestor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Class = LineageClass;
using Outcome = LineageOutcome;
using State = DecisionState;

/// Each case under several orders of the clusters and renamings of the members.
class GoldenLineage : public ::testing::TestWithParam<unsigned> {
 protected:
  LineageStory story_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Permuted, GoldenLineage, ::testing::Range(0U, 12U));

TEST_P(GoldenLineage, FourMembersThatGainFiveGrow) {
  const auto first = story_.Run({From(1, 4)});
  const auto next = story_.Run({From(1, 9)});
  EXPECT_EQ(next.tracks, first.tracks);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kGrowth);
  EXPECT_DOUBLE_EQ(story_.Of(next, 0).figures.present_jaccard, 1);
  EXPECT_EQ(story_.Of(next, 0).newcomers, 5U);
}

TEST_P(GoldenLineage, NineMembersOfWhomFiveLeaveTheCollectionShrink) {
  const auto first = story_.Run({From(1, 9)});
  const auto next = story_.Run({From(1, 4)});
  EXPECT_EQ(next.tracks, first.tracks);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kContraction);
}

TEST_P(GoldenLineage, TwentyAndFourThatBecomeOneMergeIntoTheTwenty) {
  const auto first = story_.Run({From(1, 20), From(21, 24)});
  const auto next = story_.Run({From(1, 24)});
  const TrackKey large = *first.tracks[0], small = *first.tracks[1];
  EXPECT_EQ(next.tracks[0], large);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kMerge);
  EXPECT_THAT(story_.Of(next, 0).other_tracks, ElementsAre(small));
  EXPECT_EQ(story_.Dissolved(next, small).kind, Class::kMerge);
  EXPECT_EQ(next.standings.at(small).status, TrackStatus::kMerged);
  EXPECT_EQ(next.standings.at(small).merged_into, large);
}

TEST_P(GoldenLineage, TwentyThatBecomeFourteenAndSixSplitAndTheFourteenKeepTheIdentity) {
  const auto first = story_.Run({From(1, 20)});
  const auto next = story_.Run({From(1, 14), From(15, 20)});
  EXPECT_EQ(next.tracks[0], first.tracks[0]);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kSplit);
  EXPECT_THAT(story_.Of(next, 0).other_clusters, ElementsAre(1U));
  EXPECT_EQ(story_.Of(next, 1).outcome, Outcome::kNew);
  EXPECT_EQ(story_.Of(next, 1).kind, Class::kSplit);
  EXPECT_THAT(story_.Of(next, 1).other_tracks, ElementsAre(*first.tracks[0]));
}

TEST_P(GoldenLineage, APairThatPartsLeavesTheIdentityToTheSmallerKey) {
  const auto first = story_.Run({From(1, 2)});
  const auto next = story_.Run({From(1, 1), From(2, 2)});
  const std::size_t keeper = story_.Key(1) < story_.Key(2) ? 0 : 1;
  EXPECT_EQ(next.tracks[keeper], first.tracks[0]);
  EXPECT_EQ(story_.Of(next, 1 - keeper).kind, Class::kSplit);
}

TEST_P(GoldenLineage, AnExchangedMemberIsTurnoverAndNotMore) {
  const auto first = story_.Run({From(1, 4)});
  const auto next = story_.Run({From(1, 3) + Cast{9}});
  EXPECT_EQ(next.tracks, first.tracks);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kContinuation);
  EXPECT_DOUBLE_EQ(story_.Of(next, 0).figures.turnover, 0.4);
}

TEST_P(GoldenLineage, AMergeThatIsTakenBackGivesBothIdentitiesBack) {
  const auto first = story_.Run({From(1, 12), From(21, 30)});
  const auto merged = story_.Run({From(1, 12) + From(21, 30)});
  EXPECT_EQ(story_.Of(merged, 0).state, State::kTentative);
  const auto parted = story_.Run({From(1, 13), From(22, 30)});
  EXPECT_EQ(parted.tracks, first.tracks);
  ASSERT_EQ(parted.settled.size(), 2U);
  for (const Settlement& settlement : parted.settled) EXPECT_EQ(settlement.state, State::kReverted);
  EXPECT_EQ(story_.Status(*first.tracks[1]), TrackStatus::kActive);
}

TEST_P(GoldenLineage, ATrackThatWasAwayForThreeRunsIsBackUnderItsIdentity) {
  const auto first = story_.Run({From(1, 20), From(31, 40)});
  for (int i = 0; i < 3; ++i) story_.Run({From(31, 40)}, From(1, 20));
  EXPECT_EQ(story_.Status(*first.tracks[0]), TrackStatus::kDormant);
  const auto back = story_.Run({From(1, 17), From(31, 40)}, From(18, 20));
  EXPECT_EQ(back.tracks, first.tracks);
  EXPECT_EQ(story_.Of(back, 0).kind, Class::kResurgence);
}

TEST_P(GoldenLineage, FiveThatBecomeTwoAndTwoAndOneLeaveTheIdentityToTheLargerWithTheOldestMember) {
  const auto first = story_.Run({From(1, 5)});
  const auto next = story_.Run({{1, 2}, {3, 4}, {5}});
  const MemberKey left = story_.Keys({1, 2}).front(), right = story_.Keys({3, 4}).front();
  const std::size_t keeper = left < right ? 0 : 1;
  EXPECT_EQ(next.tracks[keeper], first.tracks[0]);
  EXPECT_EQ(story_.Of(next, keeper).kind, Class::kSplit);
  EXPECT_EQ(story_.Of(next, 1 - keeper).kind, Class::kSplit);
}

TEST_P(GoldenLineage, ThreeEqualParentsMergeIntoTheOldest) {
  const auto first = story_.Run({From(1, 6), From(11, 16), From(21, 26)});
  const auto next = story_.Run({From(1, 6) + From(11, 16) + From(21, 26)});
  const TrackKey oldest = std::min({*first.tracks[0], *first.tracks[1], *first.tracks[2]});
  EXPECT_EQ(next.tracks[0], oldest);
  EXPECT_EQ(story_.Of(next, 0).kind, Class::kMerge);
  EXPECT_EQ(story_.Of(next, 0).other_tracks.size(), 2U);
}

TEST_P(GoldenLineage, FiveEqualParentsMergeIntoTheOldestToo) {
  std::vector<Cast> parents;
  Cast whole;
  for (int i = 0; i < 5; ++i) {
    parents.push_back(From(10 * i, 10 * i + 5));
    whole = whole + parents.back();
  }
  const auto first = story_.Run(parents);
  const auto next = story_.Run({whole});
  EXPECT_EQ(next.tracks[0],
            std::min({first.tracks[0], first.tracks[1], first.tracks[2], first.tracks[3], first.tracks[4]}));
  EXPECT_EQ(story_.Of(next, 0).other_tracks.size(), 4U);
}

TEST_P(GoldenLineage, FiveEqualPartsSplitAndOneKeepsTheIdentity) {
  std::vector<Cast> parts;
  Cast whole;
  for (int i = 0; i < 5; ++i) {
    parts.push_back(From(10 * i, 10 * i + 3));
    whole = whole + parts.back();
  }
  const auto first = story_.Run({whole});
  const auto next = story_.Run(parts);
  EXPECT_EQ(std::count(next.tracks.begin(), next.tracks.end(), first.tracks[0]), 1);
  EXPECT_EQ(story_.Count(next, Outcome::kNew), 4U);
}

TEST_P(GoldenLineage, ATrackWhoseMembersAllLeaveEndsAndDissolvesIntoNoOther) {
  const auto first = story_.Run({From(1, 5), From(11, 15)});
  const auto next = story_.Run({From(11, 15)});
  const auto& gone = story_.Dissolved(next, *first.tracks[0]);
  EXPECT_EQ(gone.kind, Class::kEnd);
  EXPECT_THAT(gone.other_tracks, IsEmpty());
  EXPECT_THAT(gone.other_clusters, IsEmpty());
}

TEST_P(GoldenLineage, TheBulkKeepsTheIdentityWhenOneMemberJoinsAPair) {
  const auto first = story_.Run({From(1, 9), {11, 12}});
  const auto next = story_.Run({From(2, 9), {1, 11, 12}});
  EXPECT_EQ(next.tracks, first.tracks);
}

TEST_P(GoldenLineage, APartialRunTakesNothingAway) {
  const auto first = story_.Run({From(1, 20), From(31, 40)}, {50});
  const auto partial = story_.Run({From(1, 3)}, {}, RunCoverage::kPartial);
  EXPECT_EQ(partial.tracks[0], first.tracks[0]);
  EXPECT_EQ(partial.clusters[0], story_.Keys(From(1, 20)));
  EXPECT_EQ(partial.clusters[1], story_.Keys(From(31, 40)));
  EXPECT_EQ(partial.unclustered, story_.Keys({50}));
  EXPECT_EQ(story_.Of(partial, 0).kind, Class::kContinuation);
  EXPECT_EQ(story_.Count(partial, Outcome::kDissolved), 0U);
}

TEST_P(GoldenLineage, APartialClusterOfTwoTracksIsATentativeMerge) {
  const auto first = story_.Run({From(1, 6), From(11, 16)});
  const auto partial = story_.Run({From(1, 4) + From(11, 12)}, {}, RunCoverage::kPartial);
  EXPECT_EQ(story_.Of(partial, 0).kind, Class::kMerge);
  EXPECT_EQ(story_.Of(partial, 0).state, State::kTentative);
  const auto full = story_.Run({From(1, 6), From(11, 16)});
  EXPECT_EQ(full.tracks, first.tracks);
  ASSERT_FALSE(full.settled.empty());
  EXPECT_EQ(full.settled.back().state, State::kReverted);
}

TEST_P(GoldenLineage, AnExcludedMemberThatIsProposedAgainIsBlockedEachTime) {
  const auto first = story_.Run({From(1, 6)});
  story_.constraints.excluded.insert({*first.tracks[0], story_.Key(3)});
  for (int i = 0; i < 10; ++i) {
    const auto next = story_.Run({From(1, 6)});
    EXPECT_EQ(next.tracks, first.tracks);
    EXPECT_THAT(next.blocked, ElementsAre(std::pair(*first.tracks[0], story_.Key(3))));
  }
}

TEST_P(GoldenLineage, AClosedTrackThatGainsMembersStaysClosed) {
  const auto first = story_.Run({From(1, 6)});
  story_.book.SetStanding(*first.tracks[0], {TrackStatus::kClosed, {}, false, {}});
  const auto next = story_.Run({From(1, 8)});
  EXPECT_EQ(next.tracks, first.tracks);
  EXPECT_EQ(story_.Of(next, 0).newcomers, 2U);
  EXPECT_EQ(story_.Status(*first.tracks[0]), TrackStatus::kClosed);
}

TEST_P(GoldenLineage, TheFirstRunIsAllBirths) {
  const auto first = story_.Run({From(1, 5), From(11, 15)});
  EXPECT_EQ(story_.Count(first, Outcome::kNew), 2U);
  for (const auto& recorded : first.decisions) EXPECT_EQ(recorded.decision.kind, Class::kBirth);
}

TEST_P(GoldenLineage, TwoThatExchangeHalvesKeepAsMuchAsCanBeAndAreInDoubt) {
  const auto first = story_.Run({From(1, 10), From(11, 20)});
  const auto next = story_.Run({From(1, 5) + From(11, 15), From(6, 10) + From(16, 20)});
  EXPECT_EQ(story_.Count(next, Outcome::kUpdated), 2U);
  for (const auto& recorded : next.decisions) EXPECT_EQ(recorded.decision.state, State::kTentative);
  EXPECT_NE(next.tracks[0], next.tracks[1]);
}

TEST_P(GoldenLineage, AConfirmedMergeLeadsToTheOtherForEver) {
  const auto first = story_.Run({From(1, 12), From(21, 30)});
  story_.Run({From(1, 12) + From(21, 30)});
  story_.Run({From(1, 12) + From(21, 30)});
  const auto parted = story_.Run({From(1, 12), From(21, 30)});
  EXPECT_EQ(parted.tracks[0], first.tracks[0]);
  EXPECT_EQ(story_.Of(parted, 1).outcome, Outcome::kNew);
  EXPECT_NE(parted.tracks[1], first.tracks[1]);
}

TEST_P(GoldenLineage, ASplitThatIsTakenBackIsNoEventWhenItEnds) {
  const auto first = story_.Run({From(1, 20)});
  const auto split = story_.Run({From(1, 14), From(15, 20)});
  const auto whole = story_.Run({From(1, 20)});
  EXPECT_EQ(whole.tracks, first.tracks);
  EXPECT_EQ(story_.Of(whole, 0).kind, Class::kGrowth);
  EXPECT_EQ(story_.Dissolved(whole, *split.tracks[1]).state, State::kReverted);
  ASSERT_EQ(whole.settled.size(), 2U);
  for (const Settlement& settlement : whole.settled) EXPECT_EQ(settlement.state, State::kReverted);
}

}  // namespace
}  // namespace heliograph::ingestor
