#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "ingestor/clusters/assignment.h"
#include "tests/unit/ingestor/clusters/lineage_story.h"

namespace heliograph::ingestor {
namespace {

constexpr int kItems = 60;

struct Partition {
  std::vector<Cast> clusters;
  Cast unclustered;
};

/// Puts each item into one of some clusters, into none, or leaves it out of the collection.
Partition AnyPartition() {
  const auto places = *rc::gen::container<std::vector<int>>(kItems, rc::gen::inRange(-2, 9));
  Partition partition;
  std::map<int, Cast> clusters;
  for (int item = 0; item < kItems; ++item) {
    const int place = places[static_cast<std::size_t>(item)];
    if (place == -1) partition.unclustered.push_back(item);
    if (place >= 0) clusters[place].push_back(item);
  }
  for (auto& [place, cast] : clusters) partition.clusters.push_back(cast);
  return partition;
}

std::vector<Partition> AnyHistory() {
  std::vector<Partition> history;
  const int length = *rc::gen::inRange(1, 8);
  for (int i = 0; i < length; ++i) history.push_back(AnyPartition());
  return history;
}

MatchRule AnyRule() {
  return *rc::gen::element(MatchRule::kMemory, MatchRule::kPlainJaccard);
}

TEST(MatcherProperty, NeverGivesTwoClustersOneTrack) {
  EXPECT_TRUE(rc::check([] {
    LineageStory story(0, AnyRule());
    for (const Partition& partition : AnyHistory()) {
      const auto run = story.Run(partition.clusters, partition.unclustered);
      const std::set<std::optional<TrackKey>> distinct(run.tracks.begin(), run.tracks.end());
      RC_ASSERT(distinct.size() == run.tracks.size());
      RC_ASSERT(!distinct.contains(std::nullopt));
    }
  }));
}

TEST(MatcherProperty, DecidesOnceAboutEachClusterOldAndNew) {
  EXPECT_TRUE(rc::check([] {
    LineageStory story(0, AnyRule());
    std::set<TrackKey> before;
    for (const Partition& partition : AnyHistory()) {
      const auto run = story.Run(partition.clusters, partition.unclustered);
      std::set<std::size_t> clusters;
      std::set<TrackKey> dissolved, now;
      for (const RecordedDecision& recorded : run.decisions) {
        const LineageDecision& decision = recorded.decision;
        RC_ASSERT(decision.cluster.has_value() == (decision.outcome != LineageOutcome::kDissolved));
        if (decision.cluster) RC_ASSERT(clusters.insert(*decision.cluster).second);
        if (!decision.cluster) RC_ASSERT(dissolved.insert(*decision.track).second);
        if (decision.cluster) now.insert(*decision.track);
        RC_ASSERT(!Reason(decision).empty());
      }
      RC_ASSERT(clusters.size() == partition.clusters.size());
      for (const TrackKey track : before) RC_ASSERT(now.contains(track) != dissolved.contains(track));
      before = now;
    }
  }));
}

TEST(MatcherProperty, ChangesNoIdentityWhenNothingChanges) {
  EXPECT_TRUE(rc::check([] {
    LineageStory story(0, AnyRule());
    for (const Partition& partition : AnyHistory()) story.Run(partition.clusters, partition.unclustered);
    const Partition last = AnyPartition();
    const auto run = story.Run(last.clusters, last.unclustered);
    const auto again = story.Run(last.clusters, last.unclustered);
    RC_ASSERT(again.tracks == run.tracks);
  }));
}

TEST(MatcherProperty, DoesNotDependOnTheOrderOfTheClusters) {
  EXPECT_TRUE(rc::check([] {
    const MatchRule rule = AnyRule();
    LineageStory story(0, rule), shuffled(0, rule);
    for (const Partition& partition : AnyHistory()) {
      const auto run = story.Run(partition.clusters, partition.unclustered);
      const auto other =
          shuffled.Run({partition.clusters.rbegin(), partition.clusters.rend()}, partition.unclustered);
      const std::vector<std::optional<TrackKey>> tracks(other.tracks.rbegin(), other.tracks.rend());
      RC_ASSERT(tracks == run.tracks);
      RC_ASSERT(other.settled == run.settled);
    }
  }));
}

TEST(MatcherProperty, DoesNotDependOnTheNamesOfTheMembers) {
  EXPECT_TRUE(rc::check([] {
    // Names that keep the order of the members: the smallest key settles what nothing else does.
    TrackBook book, renamed;
    LineageNumbers numbers, other_numbers;
    std::int64_t key = 0;
    for (const Partition& partition : AnyHistory()) {
      ProposedRun run, other;
      const auto name = [](int item) { return MemberKey{1000 + 7 * item}; };
      for (const Cast& cast : partition.clusters) {
        run.clusters.emplace_back();
        other.clusters.emplace_back();
        for (const int item : cast) {
          run.clusters.back().push_back(MemberKey{item});
          other.clusters.back().push_back(name(item));
        }
      }
      for (const int item : partition.unclustered) {
        run.unclustered.push_back(MemberKey{item});
        other.unclustered.push_back(name(item));
      }
      ++key;
      const auto told = book.Advance(RunKey{key}, run, MatchRule::kMemory, {}, {}, numbers);
      const auto told_again = renamed.Advance(RunKey{key}, other, MatchRule::kMemory, {}, {}, other_numbers);
      RC_ASSERT(told.tracks == told_again.tracks);
      RC_ASSERT(told.decisions.size() == told_again.decisions.size());
      for (std::size_t i = 0; i < told.decisions.size(); ++i)
        RC_ASSERT(told.decisions[i].decision == told_again.decisions[i].decision);
    }
  }));
}

TEST(MatcherProperty, LosesNoMemberInAPartialRun) {
  EXPECT_TRUE(rc::check([] {
    LineageStory story(0);
    const Partition whole = AnyPartition();
    story.Run(whole.clusters, whole.unclustered);
    const Partition part = AnyPartition();
    const auto run = story.Run(part.clusters, part.unclustered, RunCoverage::kPartial);
    std::multiset<MemberKey> after(run.unclustered.begin(), run.unclustered.end());
    for (const MemberSet& cluster : run.clusters) after.insert(cluster.begin(), cluster.end());
    std::set<MemberKey> expected;
    for (const Partition* partition : {&whole, &part}) {
      for (const MemberKey member : story.Keys(partition->unclustered)) expected.insert(member);
      for (const Cast& cast : partition->clusters)
        for (const MemberKey member : story.Keys(cast)) expected.insert(member);
    }
    RC_ASSERT(std::vector<MemberKey>(after.begin(), after.end()) ==
              std::vector<MemberKey>(expected.begin(), expected.end()));
  }));
}

/// The greatest worth that any one-to-one choice from the candidates at `next` and beyond adds.
PairWorth BestByTrying(const std::vector<CandidatePair>& candidates, std::size_t next,
                       std::set<std::size_t> tracks, std::set<std::size_t> clusters) {
  if (next == candidates.size()) return {};
  PairWorth best = BestByTrying(candidates, next + 1, tracks, clusters);
  const CandidatePair& pair = candidates[next];
  if (!tracks.insert(pair.track).second || !clusters.insert(pair.cluster).second) return best;
  return std::max(best, pair.worth + BestByTrying(candidates, next + 1, tracks, clusters));
}

TEST(Assignment, IsWorthAsMuchAsTheBestOfAll) {
  EXPECT_TRUE(rc::check([] {
    std::vector<CandidatePair> candidates;
    for (std::size_t track = 0; track < 4; ++track) {
      for (std::size_t cluster = 0; cluster < 4; ++cluster) {
        if (*rc::gen::inRange(0, 3) == 0) continue;
        const auto score = *rc::gen::inRange<std::int64_t>(1, 6);
        candidates.push_back(
            {track,
             cluster,
             {score, *rc::gen::inRange<std::int64_t>(1, 3), -static_cast<std::int64_t>(track + cluster)}});
      }
    }
    PairWorth worth;
    std::set<std::size_t> tracks, clusters;
    for (const std::size_t chosen : BestAssignment(candidates, 4, 4)) {
      worth += candidates[chosen].worth;
      RC_ASSERT(tracks.insert(candidates[chosen].track).second);
      RC_ASSERT(clusters.insert(candidates[chosen].cluster).second);
    }
    RC_ASSERT(worth == BestByTrying(candidates, 0, {}, {}));
  }));
}

TEST(Assignment, OfAVeryLargeComponentIsStillOneToOne) {
  std::vector<CandidatePair> candidates;
  const std::size_t size = 2 * kLargestExactComponent;
  for (std::size_t i = 0; i < size; ++i) {
    candidates.push_back({i, i, {10, 1, 0}});
    candidates.push_back({i, (i + 1) % size, {9, 1, 0}});
  }
  EXPECT_EQ(BestAssignment(candidates, size, size).size(), size);
}

}  // namespace
}  // namespace heliograph::ingestor
