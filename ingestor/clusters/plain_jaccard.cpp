#include "ingestor/clusters/plain_jaccard.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "ingestor/clusters/overlap.h"

namespace heliograph::ingestor {
namespace {

/// A pair whose Jaccard is shared / whole: compared as fractions, so that 0.5 is exactly that.
struct Pair {
  const TrackMemory* track = nullptr;
  std::size_t cluster = 0;
  std::size_t shared = 0, whole = 0, present = 0;
};

bool ComesFirst(const Pair& a, const Pair& b, const ProposedRun& run) {
  const auto left = a.shared * b.whole, right = b.shared * a.whole;
  if (left != right) return left > right;
  return std::tuple(-static_cast<std::int64_t>(a.shared), a.track->key, run.clusters[a.cluster].front()) <
         std::tuple(-static_cast<std::int64_t>(b.shared), b.track->key, run.clusters[b.cluster].front());
}

std::vector<Pair> LikelyPairs(const std::vector<const TrackMemory*>& active, const ProposedRun& run) {
  const MemberTable table(run);
  OverlapCounter counter(table, run.clusters.size());
  std::vector<Pair> pairs;
  for (const TrackMemory* track : active) {
    const MemberSet& before = track->snapshots.front().members;
    const Overlap overlap = counter.Of(before);
    for (const auto& [cluster, shared] : overlap.clusters) {
      const std::size_t whole = before.size() + run.clusters[cluster].size() - shared;
      if (2 * shared >= whole) pairs.push_back({track, cluster, shared, whole, overlap.present});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) { return ComesFirst(a, b, run); });
  return pairs;
}

LineageDecision Continued(const Pair& pair, const MemberSet& members) {
  LineageDecision decision;
  decision.outcome = LineageOutcome::kUpdated;
  decision.track = pair.track->key;
  LineageFigures& figures = decision.figures;
  figures.shared = pair.shared;
  figures.old_size = pair.track->snapshots.front().members.size();
  figures.new_size = members.size();
  figures.share_old = static_cast<double>(pair.shared) / static_cast<double>(figures.old_size);
  figures.share_new = static_cast<double>(pair.shared) / static_cast<double>(figures.new_size);
  figures.jaccard = static_cast<double>(pair.shared) / static_cast<double>(pair.whole);
  figures.present_jaccard = figures.score = figures.jaccard;
  figures.turnover = 1 - figures.jaccard;
  figures.confidence = std::min(figures.share_old, figures.share_new);
  decision.newcomers = figures.new_size - pair.shared;
  decision.kind = figures.new_size > figures.old_size   ? LineageClass::kGrowth
                  : figures.new_size < figures.old_size ? LineageClass::kContraction
                                                        : LineageClass::kContinuation;
  return decision;
}

LineageDecision Begun(const MemberSet& members) {
  LineageDecision decision;
  decision.outcome = LineageOutcome::kNew;
  decision.kind = LineageClass::kBirth;
  decision.newcomers = decision.figures.new_size = members.size();
  decision.figures.turnover = 1;
  return decision;
}

LineageDecision Dissolved(const TrackMemory& track) {
  LineageDecision decision;
  decision.outcome = LineageOutcome::kDissolved;
  decision.kind = LineageClass::kEnd;
  decision.track = track.key;
  decision.figures.old_size = track.snapshots.front().members.size();
  decision.figures.turnover = 1;
  return decision;
}

}  // namespace

MatchResult MatchByPlainJaccard(const TrackWorld& world, const ProposedRun& run) {
  std::vector<const TrackMemory*> active;
  for (const TrackMemory& track : world.tracks) {
    if (!world.runs.empty() && track.snapshots.front().run == world.runs.front().run)
      active.push_back(&track);
  }
  std::sort(active.begin(), active.end(),
            [](const TrackMemory* a, const TrackMemory* b) { return a->key < b->key; });
  std::map<const TrackMemory*, std::size_t> cluster_of;
  std::vector<const Pair*> pair_of(run.clusters.size(), nullptr);
  const auto pairs = LikelyPairs(active, run);
  for (const Pair& pair : pairs) {
    if (pair_of[pair.cluster] != nullptr || cluster_of.contains(pair.track)) continue;
    pair_of[pair.cluster] = &pair;
    cluster_of.emplace(pair.track, pair.cluster);
  }
  MatchResult result;
  for (std::size_t i = 0; i < run.clusters.size(); ++i) {
    const Pair* pair = pair_of[i];
    result.tracks.push_back(pair != nullptr ? std::optional(pair->track->key) : std::nullopt);
    result.decisions.push_back(pair != nullptr ? Continued(*pair, run.clusters[i]) : Begun(run.clusters[i]));
    result.decisions.back().cluster = i;
  }
  if (run.coverage == RunCoverage::kPartial) return result;
  for (const TrackMemory* track : active)
    if (!cluster_of.contains(track)) result.decisions.push_back(Dissolved(*track));
  return result;
}

}  // namespace heliograph::ingestor
