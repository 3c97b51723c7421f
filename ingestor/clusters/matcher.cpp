#include "ingestor/clusters/matcher.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "ingestor/clusters/assignment.h"
#include "ingestor/clusters/overlap.h"
#include "ingestor/clusters/plain_jaccard.h"

namespace heliograph::ingestor {
namespace {

constexpr double kBillion = 1e9;
constexpr double kAgeDiscount = 0.97;
constexpr double kLeastScore = 0.30;
constexpr double kFairPart = 0.15;       // of a merged whole, or of what was split
constexpr std::size_t kFairMembers = 2;  // that a merged track must bring
constexpr double kLeastOfAll = 0.3;      // of a track or a cluster that another is to account for
constexpr double kSizeBand = 0.1;
constexpr double kAmbiguous = 0.9;  // a second score this near to the first leaves the match in doubt

std::int64_t Billionths(double score) {
  return std::llround(score * kBillion);
}

double Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// True when `part` is more than half of the members that both worlds know, and no mere remnant of all that
/// there were: two survivors of thirty tell nothing of what became of the thirty.
bool IsMost(std::size_t part, std::size_t known, std::size_t all) {
  return 2 * part > known && Billionths(Share(part, all)) >= Billionths(kLeastOfAll);
}

/// A track and a cluster that have members in common, by the snapshot that makes the most of it.
struct Likeness {
  std::size_t cluster = 0;
  std::size_t shared = 0;
  std::size_t old_present = 0;  ///< of the snapshot's members
  std::size_t new_known = 0;    ///< of the cluster's members, to the snapshot's run
  double present_jaccard = 0;
  double score = 0;
};

struct TrackView {
  const TrackMemory* memory = nullptr;
  bool active = false;
  Overlap last;                    ///< of its newest snapshot
  std::vector<Likeness> likeness;  ///< with each cluster that it has enough in common with
  std::optional<std::size_t> cluster;

  std::size_t size() const { return memory->snapshots.front().members.size(); }
};

struct ClusterView {
  const MemberSet* members = nullptr;
  std::size_t known = 0;                                    ///< of its members, to the last run
  std::vector<std::pair<std::size_t, std::size_t>> tracks;  ///< active ones with members in it, and how many
  std::vector<std::pair<std::size_t, double>> rivals;       ///< tracks that are like it, and their scores
  std::optional<std::size_t> track;
};

/// One match by memory: tracks and clusters in their canonical orders (age; smallest key), so that no result
/// depends on the order of the input.
class MemoryMatch {
 public:
  MemoryMatch(const TrackWorld& world, const ProposedRun& run)
      : world_(world), run_(run), table_(run), counter_(table_, run.clusters.size()) {
    OrderClusters();
    OrderTracks();
    CountKnown();
    for (TrackView& track : tracks_) LookAt(track);
    Assign();
    InheritMerged();
    InheritSplit();
  }

  MatchResult Result() const;

 private:
  void OrderClusters();
  void OrderTracks();
  void CountKnown();
  void LookAt(TrackView& track);
  void Assign();
  void InheritMerged();
  void InheritSplit();
  void Pair(std::size_t track, std::size_t cluster) {
    tracks_[track].cluster = cluster;
    clusters_[cluster].track = track;
  }

  Likeness Between(const TrackView& track, std::size_t cluster) const;
  double Second(const TrackView& track, std::size_t cluster, double first) const;
  /// Tracks or clusters that are a fair part of a whole, and those that are small beside it.
  struct Parts {
    std::vector<std::size_t> fair, small;
  };
  /// The active tracks that are mostly in the cluster, unless they go on elsewhere.
  Parts ComeTogether(std::size_t cluster) const;
  std::optional<std::pair<std::size_t, std::size_t>> MajorityCluster(const TrackView& track) const;
  /// The active track that most of the cluster's known members were in.
  std::optional<std::pair<std::size_t, std::size_t>> MajorityTrack(std::size_t cluster) const;
  /// The clusters that mostly come from the track, the large and the small apart.
  Parts SplitFrom(std::size_t track) const;

  void NameOthers(LineageDecision& decision, const std::vector<std::size_t>& tracks,
                  const std::vector<std::size_t>& clusters) const;
  LineageDecision OfCluster(std::size_t cluster) const;
  LineageDecision OfContinued(std::size_t cluster) const;
  LineageDecision OfBegun(std::size_t cluster) const;
  LineageDecision OfDissolved(const TrackView& track) const;
  LineageClass BySize(const LineageFigures& figures) const;

  const TrackWorld& world_;
  const ProposedRun& run_;
  MemberTable table_;
  OverlapCounter counter_;
  std::vector<std::size_t> canonical_;  ///< index in the run by canonical position
  std::vector<std::size_t> position_;   ///< canonical position by index in the run
  std::vector<ClusterView> clusters_;   ///< by canonical position
  std::vector<TrackView> tracks_;       ///< oldest first
  std::map<RunKey, std::pair<std::size_t, std::vector<std::size_t>>>
      known_;  ///< age and count for each cluster
};

void MemoryMatch::OrderClusters() {
  for (std::size_t i = 0; i < run_.clusters.size(); ++i) canonical_.push_back(i);
  std::sort(canonical_.begin(), canonical_.end(), [&](std::size_t a, std::size_t b) {
    return run_.clusters[a].front() < run_.clusters[b].front();
  });
  position_.resize(canonical_.size());
  clusters_.resize(canonical_.size());
  for (std::size_t position = 0; position < canonical_.size(); ++position) {
    position_[canonical_[position]] = position;
    clusters_[position].members = &run_.clusters[canonical_[position]];
  }
}

void MemoryMatch::OrderTracks() {
  for (const TrackMemory& memory : world_.tracks) {
    TrackView view;
    view.memory = &memory;
    view.active = !world_.runs.empty() && memory.snapshots.front().run == world_.runs.front().run;
    tracks_.push_back(std::move(view));
  }
  std::sort(tracks_.begin(), tracks_.end(),
            [](const TrackView& a, const TrackView& b) { return a.memory->key < b.memory->key; });
}

void MemoryMatch::CountKnown() {
  for (const RunPresence& run : world_.runs) {
    auto& [age, counts] = known_[run.run];
    age = run.age;
    counts.assign(clusters_.size(), 0);
    for (const auto& [index, count] : counter_.Of(run.present).clusters) counts[position_[index]] = count;
  }
  if (world_.runs.empty()) return;
  const auto& last = known_.at(world_.runs.front().run).second;
  for (std::size_t i = 0; i < clusters_.size(); ++i) clusters_[i].known = last[i];
}

void MemoryMatch::LookAt(TrackView& track) {
  std::map<std::size_t, Likeness> best;
  for (const RememberedCluster& snapshot : track.memory->snapshots) {
    Overlap overlap = counter_.Of(snapshot.members);
    for (auto& [index, shared] : overlap.clusters) index = position_[index];
    std::sort(overlap.clusters.begin(), overlap.clusters.end());
    const auto& [age, known] = known_.at(snapshot.run);
    const std::size_t present = track.active ? overlap.present : snapshot.members.size();
    for (const auto& [cluster, shared] : overlap.clusters) {
      if (shared < 2 && snapshot.members.size() > 1 && clusters_[cluster].members->size() > 1) continue;
      Likeness likeness{cluster, shared, present, known[cluster], 0, 0};
      likeness.present_jaccard = Share(shared, present + known[cluster] - shared);
      likeness.score = likeness.present_jaccard *
                       std::pow(kAgeDiscount, static_cast<double>(std::min(age, kForgottenAge)));
      Likeness& chosen = best[cluster];
      if (std::pair(Billionths(likeness.score), shared) > std::pair(Billionths(chosen.score), chosen.shared))
        chosen = likeness;
    }
    if (&snapshot == &track.memory->snapshots.front()) track.last = std::move(overlap);
  }
  const auto self = static_cast<std::size_t>(&track - tracks_.data());
  for (const auto& [cluster, likeness] : best) {
    track.likeness.push_back(likeness);
    clusters_[cluster].rivals.emplace_back(self, likeness.score);
  }
  if (!track.active) return;
  for (const auto& [cluster, shared] : track.last.clusters)
    clusters_[cluster].tracks.emplace_back(self, shared);
}

void MemoryMatch::Assign() {
  std::vector<CandidatePair> pairs;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    for (const Likeness& likeness : tracks_[i].likeness) {
      if (Billionths(likeness.score) < Billionths(kLeastScore)) continue;
      const auto seniority = -static_cast<std::int64_t>(i + likeness.cluster);
      pairs.push_back({i,
                       likeness.cluster,
                       {Billionths(likeness.score), static_cast<std::int64_t>(likeness.shared), seniority}});
    }
  }
  for (const std::size_t chosen : BestAssignment(pairs, tracks_.size(), clusters_.size()))
    Pair(pairs[chosen].track, pairs[chosen].cluster);
}

std::optional<std::pair<std::size_t, std::size_t>> MemoryMatch::MajorityCluster(
    const TrackView& track) const {
  for (const auto& [cluster, shared] : track.last.clusters)
    if (IsMost(shared, track.last.present, track.size())) return std::pair(cluster, shared);
  return std::nullopt;
}

std::optional<std::pair<std::size_t, std::size_t>> MemoryMatch::MajorityTrack(std::size_t cluster) const {
  for (const auto& [track, shared] : clusters_[cluster].tracks)
    if (IsMost(shared, clusters_[cluster].known, clusters_[cluster].members->size()))
      return std::pair(track, shared);
  return std::nullopt;
}

MemoryMatch::Parts MemoryMatch::ComeTogether(std::size_t cluster) const {
  Parts parts;
  for (const auto& [track, shared] : clusters_[cluster].tracks) {
    const TrackView& view = tracks_[track];
    if (view.memory->provisional || !IsMost(shared, view.last.present, view.size())) continue;
    if (view.cluster && view.cluster != cluster) continue;
    const double share = Share(shared, clusters_[cluster].members->size());
    const bool fair = shared >= kFairMembers && Billionths(share) >= Billionths(kFairPart);
    (fair ? parts.fair : parts.small).push_back(track);
  }
  return parts;
}

MemoryMatch::Parts MemoryMatch::SplitFrom(std::size_t track) const {
  Parts parts;
  const TrackView& view = tracks_[track];
  if (!view.active) return parts;
  for (const auto& [cluster, shared] : view.last.clusters) {
    const bool own = view.cluster == cluster;
    const ClusterView& part = clusters_[cluster];
    if ((!own && part.track) || !IsMost(shared, part.known, part.members->size())) continue;
    const bool fair = Billionths(Share(shared, view.last.present)) >= Billionths(kFairPart);
    (fair ? parts.fair : parts.small).push_back(cluster);
  }
  return parts;
}

void MemoryMatch::InheritMerged() {
  for (std::size_t cluster = 0; cluster < clusters_.size(); ++cluster) {
    if (clusters_[cluster].track) continue;
    const auto contributors = ComeTogether(cluster).fair;
    if (contributors.size() < 2) continue;
    const auto shared = [&](std::size_t track) {
      const auto& tracks = clusters_[cluster].tracks;
      return std::find_if(tracks.begin(), tracks.end(),
                          [&](const auto& entry) { return entry.first == track; })
          ->second;
    };
    Pair(*std::max_element(contributors.begin(), contributors.end(),
                           [&](std::size_t a, std::size_t b) { return shared(a) < shared(b); }),
         cluster);
  }
}

void MemoryMatch::InheritSplit() {
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    const TrackView& view = tracks_[track];
    if (view.cluster) continue;
    const auto parts = SplitFrom(track).fair;
    if (parts.size() < 2) continue;
    const auto size = [&](std::size_t cluster) { return Between(view, cluster).shared; };
    Pair(track, *std::max_element(parts.begin(), parts.end(),
                                  [&](std::size_t a, std::size_t b) { return size(a) < size(b); }));
  }
}

Likeness MemoryMatch::Between(const TrackView& track, std::size_t cluster) const {
  for (const Likeness& likeness : track.likeness)
    if (likeness.cluster == cluster) return likeness;
  Likeness likeness{cluster, 0, track.last.present, clusters_[cluster].known, 0, 0};
  for (const auto& [other, shared] : track.last.clusters)
    if (other == cluster) likeness.shared = shared;
  likeness.present_jaccard =
      Share(likeness.shared, likeness.old_present + likeness.new_known - likeness.shared);
  likeness.score = likeness.present_jaccard;
  return likeness;
}

double MemoryMatch::Second(const TrackView& track, std::size_t cluster, double first) const {
  double second = 0;
  for (const Likeness& likeness : track.likeness)
    if (likeness.cluster != cluster) second = std::max(second, likeness.score);
  for (const auto& [other, score] : clusters_[cluster].rivals)
    if (&tracks_[other] != &track) second = std::max(second, score);
  return std::min(second, first);
}

void MemoryMatch::NameOthers(LineageDecision& decision, const std::vector<std::size_t>& tracks,
                             const std::vector<std::size_t>& clusters) const {
  for (const std::size_t track : tracks) decision.other_tracks.push_back(tracks_[track].memory->key);
  for (const std::size_t cluster : clusters) decision.other_clusters.push_back(canonical_[cluster]);
  std::sort(decision.other_tracks.begin(), decision.other_tracks.end());
  std::sort(decision.other_clusters.begin(), decision.other_clusters.end());
}

LineageClass MemoryMatch::BySize(const LineageFigures& figures) const {
  const auto before = static_cast<double>(figures.old_size), after = static_cast<double>(figures.new_size);
  if (after > before * (1 + kSizeBand)) return LineageClass::kGrowth;
  if (after < before * (1 - kSizeBand)) return LineageClass::kContraction;
  return LineageClass::kContinuation;
}

LineageDecision MemoryMatch::OfContinued(std::size_t cluster) const {
  const ClusterView& view = clusters_[cluster];
  const TrackView& track = tracks_[*view.track];
  const Likeness likeness = Between(track, cluster);
  LineageDecision decision;
  decision.outcome = LineageOutcome::kUpdated;
  decision.track = track.memory->key;
  std::size_t kept = 0;  // since it was last seen, which need not be the snapshot that matched
  for (const auto& [other, shared] : track.last.clusters)
    if (other == cluster) kept = shared;
  LineageFigures& figures = decision.figures;
  figures.shared = likeness.shared;
  figures.old_size = track.size();
  figures.new_size = view.members->size();
  if (run_.coverage == RunCoverage::kPartial && track.active) {
    // Those that the run did not look at are where they were.
    const std::size_t carried = figures.old_size - track.last.present;
    kept += carried;
    figures.new_size += carried;
  }
  figures.share_old = Share(likeness.shared, likeness.old_present);
  figures.share_new = Share(likeness.shared, likeness.new_known);
  figures.jaccard = Share(kept, figures.old_size + figures.new_size - kept);
  figures.turnover = 1 - figures.jaccard;
  figures.present_jaccard = likeness.present_jaccard;
  figures.score = likeness.score;
  figures.second = Second(track, cluster, likeness.score);
  figures.confidence = std::min(figures.share_old, figures.share_new) * (1 - figures.second / figures.score);
  decision.newcomers = figures.new_size - kept;

  Parts sources = ComeTogether(cluster), parts = SplitFrom(*view.track);
  const bool merge = sources.fair.size() >= 2, split = parts.fair.size() >= 2;
  const auto others = [](const Parts& all, std::size_t own) {
    std::vector<std::size_t> list = all.fair;
    list.insert(list.end(), all.small.begin(), all.small.end());
    std::erase(list, own);
    return list;
  };
  const auto absorbed = others(sources, *view.track), shed = others(parts, cluster);
  if (merge) {
    decision.kind = LineageClass::kMerge;
  } else if (split) {
    decision.kind = LineageClass::kSplit;
  } else if (!track.active) {
    decision.kind = LineageClass::kResurgence;
  } else if (!absorbed.empty()) {
    decision.kind = LineageClass::kAbsorb;
  } else if (!shed.empty()) {
    decision.kind = LineageClass::kShed;
  } else {
    decision.kind = BySize(figures);
  }
  NameOthers(decision, absorbed, shed);
  const bool is_event = !decision.other_tracks.empty() || !decision.other_clusters.empty();
  if (is_event || figures.second >= kAmbiguous * figures.score) decision.state = DecisionState::kTentative;
  return decision;
}

LineageDecision MemoryMatch::OfBegun(std::size_t cluster) const {
  const ClusterView& view = clusters_[cluster];
  LineageDecision decision;
  decision.outcome = LineageOutcome::kNew;
  decision.kind = LineageClass::kBirth;
  // The first run of a collection has nothing to be in doubt about.
  decision.state = world_.runs.empty() ? DecisionState::kConfirmed : DecisionState::kTentative;
  decision.newcomers = view.members->size();
  LineageFigures& figures = decision.figures;
  figures.new_size = view.members->size();
  figures.turnover = 1;
  std::size_t most = 0;
  for (const auto& [track, shared] : view.tracks) most = std::max(most, shared);
  figures.confidence = 1 - Share(most, view.known);
  const auto parent = MajorityTrack(cluster);
  if (!parent) return decision;
  const TrackView& track = tracks_[parent->first];
  const Parts parts = SplitFrom(parent->first);
  const bool fair = std::find(parts.fair.begin(), parts.fair.end(), cluster) != parts.fair.end();
  decision.kind = fair && parts.fair.size() >= 2 ? LineageClass::kSplit : LineageClass::kShed;
  decision.other_tracks = {track.memory->key};
  const Likeness likeness = Between(track, cluster);
  figures.shared = parent->second;
  figures.old_size = track.size();
  figures.share_old = Share(parent->second, track.last.present);
  figures.share_new = Share(parent->second, view.known);
  figures.jaccard = Share(parent->second, figures.old_size + figures.new_size - parent->second);
  figures.present_jaccard = likeness.present_jaccard;
  figures.confidence = figures.share_new;
  return decision;
}

LineageDecision MemoryMatch::OfDissolved(const TrackView& track) const {
  LineageDecision decision;
  decision.outcome = LineageOutcome::kDissolved;
  decision.kind = LineageClass::kEnd;
  decision.track = track.memory->key;
  // A beginning that is taken back is no end.
  decision.state = track.memory->provisional ? DecisionState::kReverted : DecisionState::kTentative;
  LineageFigures& figures = decision.figures;
  figures.old_size = track.size();
  figures.turnover = 1;
  std::size_t most = 0;
  for (const auto& [cluster, shared] : track.last.clusters) most = std::max(most, shared);
  figures.confidence = 1 - Share(most, track.last.present);
  const auto into = MajorityCluster(track);
  if (!into) return decision;
  const auto& [cluster, shared] = *into;
  const ClusterView& view = clusters_[cluster];
  const auto fair = ComeTogether(cluster).fair;
  const auto self = static_cast<std::size_t>(&track - tracks_.data());
  const bool merge = fair.size() >= 2 && std::find(fair.begin(), fair.end(), self) != fair.end();
  decision.kind = merge ? LineageClass::kMerge : LineageClass::kAbsorb;
  decision.other_clusters = {canonical_[cluster]};
  if (view.track) decision.other_tracks = {tracks_[*view.track].memory->key};
  const Likeness likeness = Between(track, cluster);
  figures.shared = shared;
  figures.share_old = Share(shared, track.last.present);
  figures.share_new = Share(shared, view.known);
  figures.jaccard = Share(shared, figures.old_size + view.members->size() - shared);
  figures.present_jaccard = likeness.present_jaccard;
  figures.confidence = figures.share_old;
  return decision;
}

LineageDecision MemoryMatch::OfCluster(std::size_t cluster) const {
  LineageDecision decision = clusters_[cluster].track ? OfContinued(cluster) : OfBegun(cluster);
  decision.cluster = canonical_[cluster];
  return decision;
}

MatchResult MemoryMatch::Result() const {
  MatchResult result;
  for (std::size_t i = 0; i < canonical_.size(); ++i) {
    const auto& track = clusters_[position_[i]].track;
    result.tracks.push_back(track ? std::optional(tracks_[*track].memory->key) : std::nullopt);
    result.decisions.push_back(OfCluster(position_[i]));
  }
  if (run_.coverage == RunCoverage::kPartial) return result;
  for (const TrackView& track : tracks_)
    if (track.active && !track.cluster) result.decisions.push_back(OfDissolved(track));
  return result;
}

}  // namespace

MatchResult Match(const TrackWorld& world, const ProposedRun& run, MatchRule rule) {
  switch (rule) {
    case MatchRule::kMemory:
      return MemoryMatch(world, run).Result();
    case MatchRule::kPlainJaccard:
      break;
  }
  return MatchByPlainJaccard(world, run);
}

}  // namespace heliograph::ingestor
