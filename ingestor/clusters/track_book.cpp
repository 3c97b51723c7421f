#include "ingestor/clusters/track_book.h"

#include <algorithm>
#include <array>
#include <set>

#include "ingestor/clusters/constraints.h"

namespace heliograph::ingestor {
namespace {

constexpr std::array<std::string_view, 5> kStatuses{"active", "dormant", "ended", "merged", "closed"};

MemberSet PresentOf(const std::vector<MemberSet>& clusters, const MemberSet& unclustered) {
  MemberSet present = unclustered;
  for (const MemberSet& cluster : clusters) present.insert(present.end(), cluster.begin(), cluster.end());
  std::sort(present.begin(), present.end());
  return present;
}

MemberSet Without(const MemberSet& members, const MemberSet& others) {
  MemberSet rest;
  std::set_difference(members.begin(), members.end(), others.begin(), others.end(), std::back_inserter(rest));
  return rest;
}

MemberSet Union(const MemberSet& a, const MemberSet& b) {
  MemberSet all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

}  // namespace

std::string_view Name(TrackStatus status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

std::optional<TrackStatus> ParseTrackStatus(std::string_view name) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i)
    if (kStatuses[i] == name) return static_cast<TrackStatus>(i);
  return std::nullopt;
}

TrackMemory* TrackBook::Find(TrackKey track) {
  const auto found =
      std::lower_bound(world_.tracks.begin(), world_.tracks.end(), track,
                       [](const TrackMemory& memory, TrackKey key) { return memory.key < key; });
  return found != world_.tracks.end() && found->key == track ? &*found : nullptr;
}

void TrackBook::SetStanding(TrackKey track, const TrackStanding& standing) {
  if (standings_.contains(track)) standings_[track] = standing;
}

void TrackBook::RestoreRun(RunKey run, std::size_t age, MemberSet present) {
  world_.runs.push_back({run, age, std::move(present)});
}

void TrackBook::RestoreTrack(TrackKey track, const TrackStanding& standing, bool provisional) {
  standings_[track] = standing;
  const auto at = std::lower_bound(world_.tracks.begin(), world_.tracks.end(), track,
                                   [](const TrackMemory& memory, TrackKey key) { return memory.key < key; });
  world_.tracks.insert(at, {track, provisional, {}});
}

void TrackBook::RestoreSnapshot(TrackKey track, RunKey run, MemberSet members) {
  TrackMemory* memory = Find(track);
  if (memory != nullptr && memory->snapshots.size() < kRememberedSnapshots)
    memory->snapshots.push_back({run, std::move(members)});
}

void TrackBook::RestoreOpenDecision(OpenDecision decision) {
  open_.push_back(std::move(decision));
}

void TrackBook::TakeApart(TrackKey whole, RunKey first, RunKey last, const MemberSet& members) {
  TrackMemory* const memory = Find(whole);
  if (memory == nullptr) return;
  for (RememberedCluster& snapshot : memory->snapshots) {
    if (snapshot.run < first || snapshot.run > last) continue;
    MemberSet rest = Without(snapshot.members, members);
    if (!rest.empty()) snapshot.members = std::move(rest);
  }
}

RunConclusion TrackBook::Advance(RunKey key, const ProposedRun& run, MatchRule rule,
                                 const TrackConstraints& constraints, std::optional<UtcMillis> data_time,
                                 LineageNumbers& numbers,
                                 const std::vector<std::optional<TrackKey>>& brought) {
  RunConclusion conclusion;
  if (run.coverage == RunCoverage::kFull) EndWhatIsLongGone(data_time, conclusion);
  conclusion.clusters = run.clusters;
  conclusion.unclustered = run.unclustered;
  MatchResult match = constraints.empty() ? Match(world_, run, rule)
                                          : MatchUnder(constraints, world_, run, rule, conclusion.blocked);
  // Clusters whose members are all pinned are matched by no rule.
  conclusion.tracks = match.tracks;
  std::vector<TrackKey> matched;
  for (const LineageDecision& decision : match.decisions)
    if (decision.outcome == LineageOutcome::kUpdated) matched.push_back(*decision.track);
  std::sort(matched.begin(), matched.end());
  Record(match, numbers, brought, conclusion);
  if (run.coverage == RunCoverage::kFull) {
    SettleOpen(matched, conclusion);
  } else {
    Complete(run, conclusion);
  }
  for (const RecordedDecision& recorded : conclusion.decisions) {
    StandAfter(recorded, constraints, data_time, conclusion);
    if (recorded.decision.state != DecisionState::kTentative) continue;
    const LineageDecision& decision = recorded.decision;
    open_.push_back(
        {recorded.id, decision.outcome, decision.kind, decision.track,
         decision.outcome == LineageOutcome::kUpdated ? decision.other_tracks : std::vector<TrackKey>{},
         recorded.child_tracks});
  }
  StandByPins(constraints, data_time, conclusion);
  Remember(key, conclusion);
  std::vector<TrackKey> ended;
  for (const auto& [track, standing] : conclusion.standings)
    if (standing.status == TrackStatus::kEnded) ended.push_back(track);
  Drop(std::move(ended));
  DropUnneededRuns();
  return conclusion;
}

void TrackBook::Record(const MatchResult& match, LineageNumbers& numbers,
                       const std::vector<std::optional<TrackKey>>& brought, RunConclusion& conclusion) {
  // New tracks are numbered by their smallest member, so that the order of the clusters does not matter.
  std::vector<std::size_t> begun;
  for (const LineageDecision& decision : match.decisions)
    if (decision.outcome == LineageOutcome::kNew) begun.push_back(*decision.cluster);
  std::sort(begun.begin(), begun.end(), [&](std::size_t a, std::size_t b) {
    return conclusion.clusters[a].front() < conclusion.clusters[b].front();
  });
  for (const std::size_t cluster : begun) {
    const bool has_number = cluster < brought.size() && brought[cluster];
    conclusion.tracks[cluster] = has_number ? *brought[cluster] : TrackKey{numbers.next_track++};
  }

  std::vector<const LineageDecision*> ordered;
  for (const LineageDecision& decision : match.decisions) ordered.push_back(&decision);
  const auto smallest = [&](const LineageDecision& decision) {
    return decision.cluster ? conclusion.clusters[*decision.cluster].front() : MemberKey{};
  };
  std::sort(ordered.begin(), ordered.end(), [&](const LineageDecision* a, const LineageDecision* b) {
    if (a->cluster.has_value() != b->cluster.has_value()) return a->cluster.has_value();
    return a->cluster ? smallest(*a) < smallest(*b) : *a->track < *b->track;
  });
  for (const LineageDecision* decision : ordered) {
    RecordedDecision recorded{numbers.next_decision++, *decision, {}};
    if (decision->cluster) recorded.decision.track = conclusion.tracks[*decision->cluster];
    if (decision->outcome == LineageOutcome::kUpdated) {
      for (const std::size_t cluster : decision->other_clusters)
        recorded.child_tracks.push_back(*conclusion.tracks[cluster]);
      std::sort(recorded.child_tracks.begin(), recorded.child_tracks.end());
    }
    conclusion.decisions.push_back(std::move(recorded));
  }
}

void TrackBook::SettleOpen(const std::vector<TrackKey>& matched, RunConclusion& conclusion) {
  for (const OpenDecision& open : open_) {
    const DecisionState state = Settle(open, matched);
    conclusion.settled.push_back({open.id, state});
    if (open.outcome ==
        LineageOutcome::kNew) {  // settled either way; should it come back, it is no beginning
      if (TrackMemory* memory = Find(*open.track)) memory->provisional = false;
    }
    const bool merged = open.kind == LineageClass::kMerge || open.kind == LineageClass::kAbsorb;
    if (open.outcome == LineageOutcome::kDissolved && merged && state == DecisionState::kConfirmed) {
      const auto standing = standings_.find(*open.track);
      // From now on its names lead to the other track for ever, so that it can come back no more.
      if (standing != standings_.end() && standing->second.status == TrackStatus::kMerged &&
          !standing->second.by_hand) {
        std::erase_if(world_.tracks, [&](const TrackMemory& memory) { return memory.key == *open.track; });
        standings_.erase(standing);
      }
    }
  }
  open_.clear();
}

void TrackBook::Complete(const ProposedRun& run, RunConclusion& conclusion) const {
  if (world_.runs.empty()) return;
  const RunPresence& last = world_.runs.front();
  const MemberSet covered = PresentOf(run.clusters, run.unclustered);
  MemberSet clustered;
  for (const TrackMemory& memory : world_.tracks) {
    if (memory.snapshots.empty() || memory.snapshots.front().run != last.run) continue;
    const MemberSet carried = Without(memory.snapshots.front().members, covered);
    clustered = Union(clustered, carried);
    if (carried.empty()) continue;
    const auto at = std::find(conclusion.tracks.begin(), conclusion.tracks.end(), std::optional(memory.key));
    if (at != conclusion.tracks.end()) {
      MemberSet& members = conclusion.clusters[static_cast<std::size_t>(at - conclusion.tracks.begin())];
      members = Union(members, carried);
    } else {
      conclusion.clusters.push_back(carried);
      conclusion.tracks.emplace_back(memory.key);
    }
  }
  conclusion.unclustered = Union(conclusion.unclustered, Without(Without(last.present, covered), clustered));
}

void TrackBook::Stand(TrackKey track, const TrackStanding& standing, RunConclusion& conclusion) {
  const auto known = standings_.find(track);
  if (known != standings_.end() && known->second == standing) return;
  if (known == standings_.end() || known->second.status != standing.status ||
      known->second.merged_into != standing.merged_into)
    conclusion.standings[track] = standing;
  standings_[track] = standing;
}

void TrackBook::StandAfter(const RecordedDecision& recorded, const TrackConstraints& constraints,
                           std::optional<UtcMillis> data_time, RunConclusion& conclusion) {
  const LineageDecision& decision = recorded.decision;
  const TrackKey track = *decision.track;
  if (decision.outcome == LineageOutcome::kNew) {
    Stand(track, {TrackStatus::kActive, {}, false, data_time}, conclusion);
    return;
  }
  TrackStanding standing = standings_[track];
  const bool by_person = standing.status == TrackStatus::kClosed || standing.by_hand;
  if (decision.outcome == LineageOutcome::kUpdated) {
    standing.last_seen = data_time;
    if (!by_person) {
      standing.status = TrackStatus::kActive;
      standing.merged_into.reset();
    }
  } else if (!by_person) {
    const bool gone_into = decision.kind == LineageClass::kMerge || decision.kind == LineageClass::kAbsorb;
    // Who is pinned to it is in it still. What was there once, and nobody saw again, was nothing.
    standing.status = constraints.held.contains(track)             ? TrackStatus::kActive
                      : decision.state == DecisionState::kReverted ? TrackStatus::kEnded
                                                                   : TrackStatus::kDormant;
    if (gone_into && decision.state == DecisionState::kTentative) {
      standing.merged_into = conclusion.tracks[decision.other_clusters.front()];
      if (standing.merged_into && constraints.RootOf(*standing.merged_into) == track)
        standing.merged_into.reset();
      if (standing.merged_into) standing.status = TrackStatus::kMerged;
    }
  }
  Stand(track, standing, conclusion);
}

void TrackBook::StandByPins(const TrackConstraints& constraints, std::optional<UtcMillis> data_time,
                            RunConclusion& conclusion) {
  std::set<TrackKey> decided;
  for (const RecordedDecision& recorded : conclusion.decisions) decided.insert(*recorded.decision.track);
  for (const std::optional<TrackKey>& track : conclusion.tracks) {
    const auto held =
        track && !decided.contains(*track) ? constraints.held.find(*track) : constraints.held.end();
    if (held == constraints.held.end()) continue;
    // One that a person made was never matched, and is not in the book.
    TrackStanding standing = standings_.try_emplace(*track, held->second).first->second;
    standing.last_seen = data_time;
    if (standing.status != TrackStatus::kClosed) standing.status = TrackStatus::kActive;
    Stand(*track, standing, conclusion);
  }
}

void TrackBook::Remember(RunKey key, const RunConclusion& conclusion) {
  for (RunPresence& run : world_.runs) ++run.age;
  world_.runs.insert(world_.runs.begin(), {key, 0, PresentOf(conclusion.clusters, conclusion.unclustered)});
  for (std::size_t i = 0; i < conclusion.clusters.size(); ++i) {
    if (!conclusion.tracks[i]) continue;
    TrackMemory* memory = Find(*conclusion.tracks[i]);
    if (memory == nullptr) {
      RestoreTrack(*conclusion.tracks[i], standings_[*conclusion.tracks[i]], false);
      memory = Find(*conclusion.tracks[i]);
    }
    memory->snapshots.insert(memory->snapshots.begin(), {key, conclusion.clusters[i]});
    if (memory->snapshots.size() > kRememberedSnapshots) memory->snapshots.pop_back();
  }
  for (const RecordedDecision& recorded : conclusion.decisions) {
    if (recorded.decision.outcome != LineageOutcome::kNew) continue;
    Find(*recorded.decision.track)->provisional = recorded.decision.state == DecisionState::kTentative;
  }
}

void TrackBook::DropUnneededRuns() {
  std::set<RunKey> needed;
  if (!world_.runs.empty()) needed.insert(world_.runs.front().run);
  for (const TrackMemory& memory : world_.tracks)
    for (const RememberedCluster& snapshot : memory.snapshots) needed.insert(snapshot.run);
  std::erase_if(world_.runs, [&](const RunPresence& run) { return !needed.contains(run.run); });
}

/// REQUIRED: `tracks` is in ascending order.
void TrackBook::Drop(std::vector<TrackKey> tracks) {
  for (const TrackKey track : tracks) standings_.erase(track);
  std::erase_if(world_.tracks, [&](const TrackMemory& memory) {
    return std::binary_search(tracks.begin(), tracks.end(), memory.key);
  });
}

void TrackBook::ForgetOldClusters(const std::map<RunKey, std::size_t>& age) {
  for (TrackMemory& memory : world_.tracks) {
    const auto old = std::find_if(
        memory.snapshots.begin() + 1, memory.snapshots.end(),
        [&](const RememberedCluster& snapshot) { return age.at(snapshot.run) >= kForgottenAge; });
    memory.snapshots.erase(old, memory.snapshots.end());
  }
}

/// The age of the oldest run that dormant tracks may have been last seen in; nothing when all may stay.
std::optional<std::size_t> TrackBook::OldestDormancy(const std::map<RunKey, std::size_t>& age) const {
  std::set<std::size_t> sightings;
  for (const TrackMemory& memory : world_.tracks) {
    const auto standing = standings_.find(memory.key);
    if (standing != standings_.end() && standing->second.status == TrackStatus::kDormant)
      sightings.insert(age.at(memory.snapshots.front().run));
  }
  if (sightings.size() <= kDormantSightings) return std::nullopt;
  return *std::next(sightings.begin(), kDormantSightings - 1);
}

void TrackBook::EndWhatIsLongGone(std::optional<UtcMillis> data_time, RunConclusion& conclusion) {
  std::map<RunKey, std::size_t> age;
  for (const RunPresence& run : world_.runs) age[run.run] = run.age;
  ForgetOldClusters(age);
  const auto oldest = OldestDormancy(age);
  std::vector<TrackKey> ended;
  for (const TrackMemory& memory : world_.tracks) {
    TrackStanding standing = standings_[memory.key];
    const bool is_dormant = standing.status == TrackStatus::kDormant;
    const std::size_t away = age.at(memory.snapshots.front().run);
    const bool long_gone =
        away > kDormantRuns || (is_dormant && oldest && away > *oldest) ||
        (data_time && standing.last_seen && *data_time - *standing.last_seen > kDormantTime);
    if (away == 0 || !long_gone) continue;
    ended.push_back(memory.key);
    if (!is_dormant) continue;
    standing.status = TrackStatus::kEnded;
    Stand(memory.key, standing, conclusion);
  }
  Drop(std::move(ended));
  DropUnneededRuns();
}

}  // namespace heliograph::ingestor
