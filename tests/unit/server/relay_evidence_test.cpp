#include "server/analytics/relay_evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

constexpr IdentityKey kOrigin{1}, kNear{2}, kFar{3}, kEar{4}, kOtherEar{5};

ResolvedSteps Certain(std::initializer_list<IdentityKey> nodes) {
  ResolvedSteps steps;
  for (const IdentityKey node : nodes) {
    steps.Add({node, 1});
    steps.EndStep();
  }
  return steps;
}

float Forwarded(const RelayEvidence& evidence, IdentityKey from, IdentityKey to, FloodClass flood_class) {
  const PairTally* pair = evidence.Pair(from, to);
  return pair == nullptr ? 0 : pair->forwarded[static_cast<std::size_t>(flood_class)];
}

TEST(RelayEvidence, ATransmissionCountsOnceHoweverManyReportIt) {
  RelayEvidence evidence;
  FloodMaker flood;
  flood.From(kOrigin).Path({{0xA}, {0xB}}, kEar).Path({{0xA}, {0xB}}, kOtherEar).Path({{0xA}}, kOtherEar);
  evidence.Add(flood.flood(), Certain({kNear, kFar}));
  EXPECT_EQ(Forwarded(evidence, kOrigin, kNear, FloodClass::kOneByte), 1);
  EXPECT_EQ(Forwarded(evidence, kNear, kFar, FloodClass::kOneByte), 1);
  EXPECT_EQ(evidence.Pair(kNear, kFar)->observers.Count(), 2U);
  EXPECT_EQ(evidence.Pair(kFar, kEar)->reported[0], 1);
  EXPECT_EQ(evidence.Sender(kNear)->relayed[0], 1);
  EXPECT_EQ(evidence.Sender(kOrigin)->originated[0], 1);
  EXPECT_EQ(evidence.Sender(kOtherEar)->reported[0], 1);
}

TEST(RelayEvidence, DirectionsAndClassesAreApart) {
  RelayEvidence evidence;
  FloodMaker flood(2);
  flood.From(kOrigin).Path({{0xA, 1}, {0xB, 1}}, kEar);
  evidence.Add(flood.flood(), Certain({kNear, kFar}));
  EXPECT_EQ(evidence.Pair(kFar, kNear), nullptr);
  EXPECT_EQ(Forwarded(evidence, kNear, kFar, FloodClass::kOneByte), 0);
  EXPECT_EQ(Forwarded(evidence, kNear, kFar, FloodClass::kMultibyte), 1);
  EXPECT_EQ(evidence.floods(FloodClass::kMultibyte), 1U);
}

TEST(RelayEvidence, AnAmbiguousHopCountsForEachCandidateByItsProbability) {
  RelayEvidence evidence;
  ResolvedSteps steps;
  steps.Add({kNear, 0.75F});
  steps.Add({kFar, 0.25F});
  steps.EndStep();
  FloodMaker flood;
  flood.From(kOrigin).Path({{0xA}}, kEar);
  evidence.Add(flood.flood(), steps);
  EXPECT_FLOAT_EQ(Forwarded(evidence, kOrigin, kNear, FloodClass::kOneByte), 0.75F);
  EXPECT_FLOAT_EQ(evidence.Pair(kFar, kEar)->reported[0], 0.25F);
}

TEST(RelayEvidence, AHopThatIsMostLikelyAnothersDoesNotKeepAPairYoung) {
  RelayEvidence evidence;
  const auto hear = [&](std::int64_t second, float probability) {
    ResolvedSteps steps;
    steps.Add({kNear, probability});
    steps.EndStep();
    evidence.Add(FloodMaker(1, second).From(kOrigin).Path({{0xA}}, kEar).flood(), steps);
  };
  hear(1000, 1);
  hear(2000, 0.5F);
  hear(3000, 0.1F);
  for (const PairTally* pair : {evidence.Pair(kOrigin, kNear), evidence.Pair(kNear, kEar)}) {
    EXPECT_EQ(pair->first_heard, AtSecond(1000));
    EXPECT_EQ(pair->last_heard, AtSecond(2000));
  }
}

TEST(RelayEvidence, AnObserverThatSentTheFloodItselfHeardNobody) {
  RelayEvidence evidence;
  Flood flood = FloodMaker().From(kOrigin).Path({{0xA}}, kNear).flood();
  flood.hearings[0].own = true;
  evidence.Add(flood, Certain({kNear}));
  EXPECT_EQ(evidence.Sender(kNear)->relayed[0], 1);
  EXPECT_EQ(evidence.pair_count(), 1U);
}

TEST(RelayEvidence, SnrIsTheMeanOfThoseThatToldIt) {
  RelayEvidence evidence;
  for (const float snr : {4.0F, 8.0F}) {
    Flood flood = FloodMaker().Path({{0xA}}, kEar).flood();
    flood.hearings[0].snr_db = snr;
    evidence.Add(flood, Certain({kNear}));
  }
  evidence.Add(FloodMaker().Path({{0xA}}, kEar).flood(), Certain({kNear}));
  EXPECT_DOUBLE_EQ(*evidence.Pair(kNear, kEar)->MeanSnrDb(), 6);
}

TEST(RelayEvidence, TheWeakestAndLongestUnheardPairsAreForgottenFirst) {
  RelayEvidence evidence(8);
  for (int i = 0; i < 3; ++i)
    evidence.Add(FloodMaker(1, 1000 + i).Path({{0xA}}, kEar).flood(), Certain({kNear}));
  for (std::int64_t other = 10; other < 18; ++other)
    evidence.Add(FloodMaker(1, other).Path({{0xB}}, kEar).flood(), Certain({IdentityKey{other}}));
  EXPECT_LE(evidence.pair_count(), 8U);
  EXPECT_EQ(evidence.evicted_pairs(), 2U);
  EXPECT_NE(evidence.Pair(kNear, kEar), nullptr);
}

TEST(ObserverTally, NamesTheOldestInWhateverOrderTheyCome) {
  std::vector<std::int64_t> keys(30);
  std::iota(keys.begin(), keys.end(), 5);
  std::mt19937 random(1);
  for (int order = 0; order < 20; ++order) {
    std::shuffle(keys.begin(), keys.end(), random);
    ObserverTally tally, half;
    for (std::size_t i = 0; i < keys.size(); ++i) (i % 3 == 0 ? half : tally).Add(IdentityKey{keys[i]});
    tally.Add(half);
    tally.Add(half);
    std::vector<std::int64_t> named;
    for (const IdentityKey key : tally.Named()) named.push_back(static_cast<std::int64_t>(key));
    EXPECT_THAT(named, ::testing::ElementsAre(5, 6, 7, 8, 9, 10, 11, 12));
  }
}

TEST(ObserverTally, CountsSmallSetsWithinOne) {
  ObserverTally tally;
  for (std::int64_t key = 1; key <= 10; ++key) tally.Add(IdentityKey{key});
  tally.Add(IdentityKey{3});
  EXPECT_NEAR(static_cast<double>(tally.Count()), 10, 1);
}

TEST(KeyIndex, FindsWhatWasInsertedAndNothingElse) {
  KeyIndex index;
  EXPECT_EQ(index.Find(1), KeyIndex::kNone);
  for (std::uint64_t key = 1; key <= 1000; ++key)
    index.Insert(key << 32 | key, static_cast<std::uint32_t>(key));
  for (std::uint64_t key = 1; key <= 1000; ++key) EXPECT_EQ(index.Find(key << 32 | key), key);
  EXPECT_EQ(index.Find(7), KeyIndex::kNone);
  index.Clear();
  EXPECT_EQ(index.Find(1ULL << 32 | 1), KeyIndex::kNone);
}

}  // namespace
}  // namespace heliograph::server
