#include "tests/evaluation/clusters/identity_rule.h"

#include <algorithm>

namespace heliograph::evaluation {
namespace {

using ingestor::LineageClass;
using ingestor::LineageOutcome;

constexpr std::size_t kLeastShared = 2;

ingestor::MemberSet Keys(std::vector<int> items) {
  std::sort(items.begin(), items.end());
  ingestor::MemberSet keys;
  for (const int item : items) keys.push_back(ingestor::MemberKey{item});
  return keys;
}

int Number(ingestor::TrackKey track) {
  return static_cast<int>(track);
}

std::set<int> Numbers(const std::vector<ingestor::TrackKey>& tracks) {
  std::set<int> numbers;
  for (const ingestor::TrackKey track : tracks) numbers.insert(Number(track));
  return numbers;
}

}  // namespace

std::map<int, int> IdentityRule::Advance(const std::vector<std::vector<int>>& clusters,
                                         const std::vector<int>& unclustered) {
  ingestor::ProposedRun proposed;
  for (const std::vector<int>& cluster : clusters) proposed.clusters.push_back(Keys(cluster));
  proposed.unclustered = Keys(unclustered);
  const auto conclusion = book_.Advance(ingestor::RunKey{static_cast<std::int64_t>(run_) + 1}, proposed,
                                        rule_, {}, std::nullopt, numbers_);
  if (rule_ == MatchRule::kMemory) {
    ReportSettled(conclusion);
  } else {
    ReportByOverlap(conclusion);
  }
  std::map<int, int> ids;
  last_.clear();
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const int id = Number(*conclusion.tracks[i]);
    last_[id] = clusters[i];
    for (const int item : clusters[i]) ids[item] = id;
  }
  ++run_;
  return ids;
}

void IdentityRule::ReportSettled(const ingestor::RunConclusion& conclusion) {
  for (const ingestor::Settlement& settled : conclusion.settled) {
    const auto waiting = waiting_.find(settled.decision);
    if (waiting == waiting_.end()) continue;
    if (settled.state == ingestor::DecisionState::kConfirmed) {
      events_.push_back(waiting->second);
      events_.back().run = run_;
    }
    waiting_.erase(waiting);
  }
  for (const ingestor::RecordedDecision& recorded : conclusion.decisions) {
    const ingestor::LineageDecision& decision = recorded.decision;
    const bool merge = decision.kind == LineageClass::kMerge || decision.kind == LineageClass::kAbsorb;
    const bool split = decision.kind == LineageClass::kSplit || decision.kind == LineageClass::kShed;
    if (decision.state != ingestor::DecisionState::kTentative) continue;
    if (decision.kind == LineageClass::kBirth) {
      waiting_[recorded.id] = {PlantedEvent::Kind::kBirth, run_, {}, {Number(*decision.track)}};
    } else if (decision.kind == LineageClass::kEnd) {
      waiting_[recorded.id] = {PlantedEvent::Kind::kDeath, run_, {Number(*decision.track)}, {}};
    }
    if (decision.other_tracks.empty()) continue;
    if (decision.outcome == LineageOutcome::kDissolved && merge) {
      waiting_[recorded.id] = {
          PlantedEvent::Kind::kMerge, run_, {Number(*decision.track)}, Numbers(decision.other_tracks)};
    } else if (decision.outcome == LineageOutcome::kNew && split) {
      waiting_[recorded.id] = {
          PlantedEvent::Kind::kSplit, run_, Numbers(decision.other_tracks), {Number(*decision.track)}};
    }
  }
}

void IdentityRule::ReportByOverlap(const ingestor::RunConclusion& conclusion) {
  std::map<int, std::size_t> cluster_of;
  for (std::size_t i = 0; i < conclusion.clusters.size(); ++i)
    for (const ingestor::MemberKey member : conclusion.clusters[i]) cluster_of[static_cast<int>(member)] = i;
  std::map<std::size_t, std::map<int, std::size_t>> sources;  // of a new cluster: shared members by old id
  std::map<int, std::map<std::size_t, std::size_t>> targets;
  for (const auto& [id, members] : last_) {
    for (const int member : members) {
      const auto cluster = cluster_of.find(member);
      if (cluster == cluster_of.end()) continue;
      ++sources[cluster->second][id];
      ++targets[id][cluster->second];
    }
  }
  for (const ingestor::RecordedDecision& recorded : conclusion.decisions) {
    const ingestor::LineageDecision& decision = recorded.decision;
    ReportedEvent event;
    event.run = run_;
    if (decision.outcome == LineageOutcome::kDissolved) {
      event.kind = PlantedEvent::Kind::kSplit;
      event.sources = {Number(*decision.track)};
      for (const auto& [cluster, shared] : targets[Number(*decision.track)])
        if (shared >= kLeastShared) event.results.insert(Number(*conclusion.tracks[cluster]));
      if (event.results.size() < 2) event = {PlantedEvent::Kind::kDeath, run_, event.sources, {}};
      events_.push_back(event);
    } else if (decision.outcome == LineageOutcome::kNew) {
      event.kind = PlantedEvent::Kind::kMerge;
      for (const auto& [id, shared] : sources[*decision.cluster])
        if (shared >= kLeastShared) event.sources.insert(id);
      // The one that it merged into may be one of the old ones.
      event.results = event.sources;
      event.results.insert(Number(*decision.track));
      if (event.sources.size() < 2) event = {PlantedEvent::Kind::kBirth, run_, {}, {Number(*decision.track)}};
      if (run_ > 0) events_.push_back(event);  // what the first run finds was there before
    }
  }
}

}  // namespace heliograph::evaluation
