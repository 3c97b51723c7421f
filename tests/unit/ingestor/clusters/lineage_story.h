#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "ingestor/clusters/track_book.h"

namespace heliograph::ingestor {

/// Members as a story numbers them.
using Cast = std::vector<int>;

/// The numbers from `first` to `last`.
inline Cast From(int first, int last) {
  Cast cast(static_cast<std::size_t>(last - first + 1));
  std::iota(cast.begin(), cast.end(), first);
  return cast;
}

inline Cast operator+(Cast a, const Cast& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Tells a book run after run. With a seed other than 0 the members have other keys, and the clusters come in
/// another order: what is told must not depend on either.
class LineageStory {
 public:
  explicit LineageStory(unsigned seed, MatchRule rule = MatchRule::kMemory) : random_(seed), rule_(rule) {
    for (int i = 0; i <= kMembers; ++i) keys_.push_back(MemberKey{i});
    if (seed != 0) std::shuffle(keys_.begin(), keys_.end(), random_);
    shuffled_ = seed != 0;
  }

  MemberKey Key(int member) const { return keys_.at(static_cast<std::size_t>(member)); }
  MemberSet Keys(const Cast& cast) const {
    MemberSet set;
    for (const int member : cast) set.push_back(Key(member));
    std::sort(set.begin(), set.end());
    return set;
  }

  /// The next run. The conclusion's clusters are in the order told.
  RunConclusion Run(const std::vector<Cast>& clusters, const Cast& unclustered = {},
                    RunCoverage coverage = RunCoverage::kFull) {
    std::vector<std::size_t> order(clusters.size());
    std::iota(order.begin(), order.end(), 0U);
    if (shuffled_) std::shuffle(order.begin(), order.end(), random_);
    ProposedRun run;
    run.coverage = coverage;
    for (const std::size_t index : order) run.clusters.push_back(Keys(clusters[index]));
    run.unclustered = Keys(unclustered);
    RunConclusion told = book.Advance(RunKey{++runs_}, run, rule_, constraints, data_time, numbers);
    return InOrder(told, order);
  }

  const LineageDecision& Of(const RunConclusion& run, std::size_t cluster) const {
    return std::find_if(run.decisions.begin(), run.decisions.end(),
                        [&](const auto& recorded) { return recorded.decision.cluster == cluster; })
        ->decision;
  }
  const LineageDecision& Dissolved(const RunConclusion& run, TrackKey track) const {
    return std::find_if(run.decisions.begin(), run.decisions.end(),
                        [&](const auto& recorded) {
                          return !recorded.decision.cluster && recorded.decision.track == track;
                        })
        ->decision;
  }
  std::size_t Count(const RunConclusion& run, LineageOutcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(run.decisions.begin(), run.decisions.end(),
                      [&](const auto& recorded) { return recorded.decision.outcome == outcome; }));
  }
  TrackStatus Status(TrackKey track) const { return book.standings().at(track).status; }

  TrackBook book;
  TrackConstraints constraints;
  LineageNumbers numbers;
  std::optional<UtcMillis> data_time;  ///< of the next runs

 private:
  static constexpr int kMembers = 200;

  static RunConclusion InOrder(const RunConclusion& told, const std::vector<std::size_t>& order) {
    RunConclusion run = told;
    for (std::size_t i = 0; i < order.size(); ++i) {
      run.clusters[order[i]] = told.clusters[i];
      run.tracks[order[i]] = told.tracks[i];
    }
    for (RecordedDecision& recorded : run.decisions) {
      if (recorded.decision.cluster) recorded.decision.cluster = order[*recorded.decision.cluster];
      for (std::size_t& cluster : recorded.decision.other_clusters) cluster = order[cluster];
      std::sort(recorded.decision.other_clusters.begin(), recorded.decision.other_clusters.end());
    }
    return run;
  }

  std::mt19937 random_;
  MatchRule rule_;
  bool shuffled_ = false;
  std::vector<MemberKey> keys_;
  std::int64_t runs_ = 0;
};

}  // namespace heliograph::ingestor
