#include "ingestor/clusters/constraints.h"

#include <algorithm>
#include <map>
#include <set>

namespace heliograph::ingestor {
namespace {

void StripPinned(const TrackConstraints& constraints, MemberSet& members) {
  std::erase_if(members, [&](MemberKey member) { return constraints.pinned.contains(member); });
}

TrackMemory* Find(TrackWorld& world, TrackKey key) {
  const auto found = std::find_if(world.tracks.begin(), world.tracks.end(),
                                  [&](const TrackMemory& track) { return track.key == key; });
  return found != world.tracks.end() ? &*found : nullptr;
}

/// Gives each track that others went into the snapshots of all of them together, after its own.
void RememberWholes(const TrackConstraints& constraints, TrackWorld& world) {
  std::map<TrackKey, std::map<RunKey, MemberSet>> wholes;
  for (const TrackMemory& part : world.tracks) {
    const TrackKey key = constraints.WholeOf(part.key);
    if (key == part.key) continue;
    for (const RememberedCluster& snapshot : part.snapshots) {
      MemberSet& whole = wholes[key][snapshot.run];
      whole.insert(whole.end(), snapshot.members.begin(), snapshot.members.end());
    }
  }
  for (auto& [key, runs] : wholes) {
    TrackMemory* const track = Find(world, key);
    if (track == nullptr) continue;
    for (const RememberedCluster& own : track->snapshots)
      if (const auto whole = runs.find(own.run); whole != runs.end())
        whole->second.insert(whole->second.end(), own.members.begin(), own.members.end());
    for (auto whole = runs.rbegin(); whole != runs.rend(); ++whole) {
      std::sort(whole->second.begin(), whole->second.end());
      track->snapshots.push_back({whole->first, std::move(whole->second)});
    }
  }
}

TrackWorld Strip(const TrackConstraints& constraints, TrackWorld world) {
  for (RunPresence& run : world.runs) StripPinned(constraints, run.present);
  for (TrackMemory& track : world.tracks) {
    const TrackKey root = constraints.RootOf(track.key);
    for (RememberedCluster& snapshot : track.snapshots) {
      StripPinned(constraints, snapshot.members);
      std::erase_if(snapshot.members, [&](MemberKey member) { return constraints.IsExcluded(root, member); });
    }
    std::erase_if(track.snapshots,
                  [](const RememberedCluster& snapshot) { return snapshot.members.empty(); });
  }
  std::erase_if(world.tracks, [](const TrackMemory& track) { return track.snapshots.empty(); });
  RememberWholes(constraints, world);
  return world;
}

/// The track that most of the cluster's members are pinned to; of several, the oldest.
TrackKey PinnedTrack(const TrackConstraints& constraints, const MemberSet& cluster) {
  std::map<TrackKey, std::size_t> votes;
  for (const MemberKey member : cluster) ++votes[constraints.pinned.at(member)];
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

/// The members that a run proposes without those that are pinned.
struct StrippedRun {
  ProposedRun run;
  std::vector<std::size_t> original;  ///< the index in the proposed run of each cluster that is left

  bool Has(std::size_t cluster) const {
    return std::binary_search(original.begin(), original.end(), cluster);
  }
};

StrippedRun Strip(const TrackConstraints& constraints, const ProposedRun& run) {
  StrippedRun stripped;
  stripped.run.coverage = run.coverage;
  stripped.run.unclustered = run.unclustered;
  StripPinned(constraints, stripped.run.unclustered);
  for (std::size_t i = 0; i < run.clusters.size(); ++i) {
    MemberSet members = run.clusters[i];
    StripPinned(constraints, members);
    if (members.empty()) continue;
    stripped.run.clusters.push_back(std::move(members));
    stripped.original.push_back(i);
  }
  return stripped;
}

/// Exchanges two tracks wherever the match names them.
void Exchange(MatchResult& match, TrackKey a, TrackKey b) {
  const auto exchange = [&](TrackKey& track) {
    if (track == a || track == b) track = track == a ? b : a;
  };
  for (std::optional<TrackKey>& track : match.tracks)
    if (track) exchange(*track);
  for (LineageDecision& decision : match.decisions) {
    if (decision.track) exchange(*decision.track);
    for (TrackKey& other : decision.other_tracks) exchange(other);
    std::sort(decision.other_tracks.begin(), decision.other_tracks.end());
  }
}

/// A track of which only parts go on goes on in the largest of these.
void ContinueWholes(const TrackConstraints& constraints, const TrackWorld& world, const ProposedRun& run,
                    MatchResult& match) {
  std::map<TrackKey, std::size_t> largest;  // cluster by the whole
  for (std::size_t i = 0; i < match.tracks.size(); ++i) {
    if (!match.tracks[i]) continue;
    const TrackKey whole = constraints.WholeOf(*match.tracks[i]);
    const auto [best, is_first] = largest.try_emplace(whole, i);
    if (is_first || match.tracks[best->second] == whole) continue;
    const std::size_t size = run.clusters[i].size(), most = run.clusters[best->second].size();
    const bool older = size == most && *match.tracks[i] < *match.tracks[best->second];
    if (match.tracks[i] == whole || size > most || older) best->second = i;
  }
  const auto is_known = [&](TrackKey key) {
    return std::any_of(world.tracks.begin(), world.tracks.end(),
                       [&](const TrackMemory& track) { return track.key == key; });
  };
  for (const auto& [whole, cluster] : largest) {
    const TrackKey part = *match.tracks[cluster];
    if (part == whole || !is_known(whole)) continue;
    Exchange(match, whole, part);
    const bool told = std::any_of(match.decisions.begin(), match.decisions.end(), [&](const auto& decision) {
      return decision.outcome == LineageOutcome::kDissolved && decision.track == part;
    });
    if (told || run.coverage == RunCoverage::kPartial) continue;
    // The whole was away before, so that nothing was said of it that could be said of the part now.
    LineageDecision gone;
    gone.outcome = LineageOutcome::kDissolved;
    gone.kind = LineageClass::kMerge;
    gone.track = part;
    gone.other_tracks = {whole};
    gone.other_clusters = {cluster};
    match.decisions.push_back(std::move(gone));
  }
}

/// Clusters of pinned members alone.
void ContinueByPins(const TrackConstraints& constraints, const ProposedRun& run, const StrippedRun& stripped,
                    MatchResult& match) {
  for (std::size_t i = 0; i < run.clusters.size(); ++i) {
    if (stripped.Has(i)) continue;
    const TrackKey pinned = PinnedTrack(constraints, run.clusters[i]);
    if (std::find(match.tracks.begin(), match.tracks.end(), std::optional(pinned)) != match.tracks.end())
      continue;
    match.tracks[i] = pinned;
    // It goes on by what people put into it, wherever the others went.
    std::erase_if(match.decisions, [&](const LineageDecision& decision) {
      return decision.outcome == LineageOutcome::kDissolved && decision.track == pinned;
    });
  }
}

}  // namespace

MatchResult MatchUnder(const TrackConstraints& constraints, const TrackWorld& world, const ProposedRun& run,
                       MatchRule rule, std::vector<std::pair<TrackKey, MemberKey>>& blocked) {
  const StrippedRun stripped = Strip(constraints, run);
  MatchResult match = Match(Strip(constraints, world), stripped.run, rule);
  std::vector<std::optional<TrackKey>> tracks(run.clusters.size());
  for (std::size_t i = 0; i < stripped.original.size(); ++i) tracks[stripped.original[i]] = match.tracks[i];
  match.tracks = std::move(tracks);
  for (LineageDecision& decision : match.decisions) {
    if (decision.cluster) decision.cluster = stripped.original[*decision.cluster];
    for (std::size_t& cluster : decision.other_clusters) cluster = stripped.original[cluster];
  }
  ContinueWholes(constraints, world, run, match);
  ContinueByPins(constraints, run, stripped, match);
  for (std::size_t i = 0; i < match.tracks.size(); ++i) {
    if (!match.tracks[i]) continue;
    const TrackKey root = constraints.RootOf(*match.tracks[i]);
    for (const MemberKey member : run.clusters[i])
      if (constraints.IsExcluded(root, member)) blocked.emplace_back(root, member);
  }
  std::sort(blocked.begin(), blocked.end());
  return match;
}

}  // namespace heliograph::ingestor
