#include "ingestor/clusters/constraints.h"

#include <algorithm>
#include <map>

namespace heliograph::ingestor {
namespace {

void StripPinned(const TrackConstraints& constraints, MemberSet& members) {
  std::erase_if(members, [&](MemberKey member) { return constraints.pinned.contains(member); });
}

TrackWorld Strip(const TrackConstraints& constraints, TrackWorld world) {
  for (RunPresence& run : world.runs) StripPinned(constraints, run.present);
  for (TrackMemory& track : world.tracks) {
    for (RememberedCluster& snapshot : track.snapshots) {
      StripPinned(constraints, snapshot.members);
      std::erase_if(snapshot.members, [&](MemberKey member) {
        return constraints.excluded.contains({track.key, member});
      });
    }
    std::erase_if(track.snapshots,
                  [](const RememberedCluster& snapshot) { return snapshot.members.empty(); });
  }
  std::erase_if(world.tracks, [](const TrackMemory& track) { return track.snapshots.empty(); });
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

}  // namespace

MatchResult MatchUnder(const TrackConstraints& constraints, const TrackWorld& world, const ProposedRun& run,
                       MatchRule rule, std::vector<std::pair<TrackKey, MemberKey>>& blocked) {
  ProposedRun stripped = run;
  StripPinned(constraints, stripped.unclustered);
  std::vector<std::size_t> original;  // the index in `run` of each cluster that is left
  stripped.clusters.clear();
  for (std::size_t i = 0; i < run.clusters.size(); ++i) {
    MemberSet members = run.clusters[i];
    StripPinned(constraints, members);
    if (members.empty()) continue;
    stripped.clusters.push_back(std::move(members));
    original.push_back(i);
  }
  MatchResult match = Match(Strip(constraints, world), stripped, rule);
  std::vector<std::optional<TrackKey>> tracks(run.clusters.size());
  for (std::size_t i = 0; i < original.size(); ++i) tracks[original[i]] = match.tracks[i];
  for (LineageDecision& decision : match.decisions) {
    if (decision.cluster) decision.cluster = original[*decision.cluster];
    for (std::size_t& cluster : decision.other_clusters) cluster = original[cluster];
  }
  for (std::size_t i = 0; i < run.clusters.size(); ++i) {
    if (std::binary_search(original.begin(), original.end(), i)) continue;
    const TrackKey pinned = PinnedTrack(constraints, run.clusters[i]);
    if (std::find(tracks.begin(), tracks.end(), std::optional(pinned)) == tracks.end()) tracks[i] = pinned;
  }
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (!tracks[i]) continue;
    for (const MemberKey member : run.clusters[i])
      if (constraints.excluded.contains({*tracks[i], member})) blocked.emplace_back(*tracks[i], member);
  }
  std::sort(blocked.begin(), blocked.end());
  match.tracks = std::move(tracks);
  return match;
}

}  // namespace heliograph::ingestor
