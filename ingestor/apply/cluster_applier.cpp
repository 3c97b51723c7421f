#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/cluster_staging.h"
#include "ingestor/store/cluster_job_store.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/override_store.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

// A representative stays while no other member is clearly firmer in the cluster.
constexpr double kStickyStrength = 0.95;

/// An id that is the same whenever this cluster of this file is applied.
std::string TrackId(const queue::Envelope& envelope, std::size_t cluster) {
  const Sha256Digest digest = Sha256(AsBytes(envelope.id.ToText() + "/" + std::to_string(cluster)));
  std::array<std::uint8_t, Ulid::kRandomSize> random{};
  std::copy_n(digest.begin(), random.size(), random.begin());
  return Ulid::FromParts(envelope.created_at, random).ToText();
}

/// One application: what the run concluded, and the rows that follow from it.
class ClusterApplication {
 public:
  ClusterApplication(const ApplyContext& context, const queue::QueueFile& file)
      : context_(context),
        envelope_(file.envelope),
        staging_(*context.staging),
        snapshot_(staging_.snapshot()),
        database_(context.store.database()),
        view_(BranchView::Of(database_, BranchId{envelope_.branch_id})),
        tracks_(database_),
        runs_(database_) {}

  Verdict Run();

 private:
  std::size_t CountOf(LineageOutcome outcome) const;
  std::size_t CountOf(LineageClass kind) const;
  std::size_t Members() const;
  void Match();
  void BeginTracks();
  void ChangeTracks();
  TrackState Begun(std::size_t cluster);
  TrackState Continued(std::size_t cluster, TrackState state);
  void Decide();
  void AddClusters();
  void AddCarriedMembers();
  std::string Statistics() const;

  const ApplyContext& context_;
  const queue::Envelope& envelope_;
  ClusterStaging& staging_;
  const ClusterSnapshot& snapshot_;
  SQLite::Database& database_;
  BranchView view_;
  TrackStore tracks_;
  ClusterRunStore runs_;
  std::optional<ClusterPointer> active_;
  TrackConstraints constraints_;
  RunConclusion conclusion_;
  CommitSeq commit_{};
};

std::size_t ClusterApplication::CountOf(LineageOutcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(conclusion_.decisions.begin(), conclusion_.decisions.end(),
                    [&](const RecordedDecision& recorded) { return recorded.decision.outcome == outcome; }));
}

std::size_t ClusterApplication::CountOf(LineageClass kind) const {
  return static_cast<std::size_t>(std::count_if(
      conclusion_.decisions.begin(), conclusion_.decisions.end(), [&](const RecordedDecision& recorded) {
        return recorded.decision.kind == kind && recorded.decision.outcome == LineageOutcome::kUpdated;
      }));
}

std::size_t ClusterApplication::Members() const {
  std::size_t members = 0;
  for (const MemberSet& cluster : conclusion_.clusters) members += cluster.size();
  return members;
}

void ClusterApplication::Match() {
  active_ = runs_.Active(view_, snapshot_.collection);
  TrackBook& book = context_.books->Of(database_, view_, snapshot_.collection);
  constraints_ = OverrideStore(database_).Constraints(view_, snapshot_.collection);
  LineageNumbers numbers = tracks_.NextNumbers();
  conclusion_ = book.Advance(staging_.run(), staging_.proposed(), snapshot_.match_rule, constraints_,
                             snapshot_.data_time, numbers);
  HELIOGRAPH_FAILPOINT(kClusterMatched);
}

void ClusterApplication::BeginTracks() {
  for (const RecordedDecision& recorded : conclusion_.decisions) {
    if (recorded.decision.outcome != LineageOutcome::kNew) continue;
    tracks_.Begin(
        {*recorded.decision.track, TrackId(envelope_, *recorded.decision.cluster), snapshot_.collection},
        view_.branch, commit_, static_cast<std::int64_t>(staging_.run()));
  }
}

TrackState ClusterApplication::Begun(std::size_t cluster) {
  const SnapshotCluster& found = snapshot_.clusters[cluster];
  const TrackKey track = *conclusion_.tracks[cluster];
  TrackState state;
  state.slug =
      tracks_.FreeSlug(!Slugify(found.label).empty() ? found.label
                                                     : std::string(Name(snapshot_.collection)) + "-" +
                                                           std::to_string(static_cast<std::int64_t>(track)));
  state.title = found.label.empty() ? "Cluster " + state.slug : found.label;
  state.representative = staging_.representative(cluster);
  return state;
}

TrackState ClusterApplication::Continued(std::size_t cluster, TrackState state) {
  const SnapshotCluster& found = snapshot_.clusters[cluster];
  const MemberSet& members = conclusion_.clusters[cluster];
  const MemberKey best = staging_.representative(cluster);
  const bool still_there =
      state.representative && std::binary_search(members.begin(), members.end(), *state.representative);
  if (still_there && runs_.StrengthIn(staging_.run(), *state.representative) >=
                         kStickyStrength * runs_.StrengthIn(staging_.run(), best))
    return state;
  state.representative = best;
  if (!state.title_pinned && !found.label.empty()) state.title = found.label;
  return state;
}

void ClusterApplication::ChangeTracks() {
  std::map<TrackKey, TrackState> states;
  for (std::size_t i = 0; i < snapshot_.clusters.size(); ++i) {
    if (!conclusion_.tracks[i]) continue;
    const auto state = tracks_.Now(view_, *conclusion_.tracks[i]);
    if (state) {
      states[*conclusion_.tracks[i]] = Continued(i, *state);
    } else {
      // Written at once: the next cluster's name must differ from this one.
      tracks_.Change(view_, *conclusion_.tracks[i], Begun(i), commit_);
    }
  }
  for (const auto& [track, standing] : conclusion_.standings) {
    auto known = states.find(track);
    if (known == states.end()) {
      const auto state = tracks_.Now(view_, track);
      if (!state) continue;
      known = states.emplace(track, *state).first;
    }
    known->second.status = standing.status;
    known->second.merged_into = standing.merged_into;
    known->second.merged_by_hand = standing.by_hand;
  }
  for (const auto& [track, state] : states) tracks_.Change(view_, track, state, commit_);
}

void ClusterApplication::Decide() {
  DecisionContext decided;
  decided.run = static_cast<std::int64_t>(staging_.run());
  if (active_) decided.previous_run = static_cast<std::int64_t>(active_->active);
  decided.rule = snapshot_.match_rule;
  decided.commit = commit_;
  for (std::size_t i = 0; i < conclusion_.decisions.size(); ++i) {
    if (i == conclusion_.decisions.size() / 2) HELIOGRAPH_FAILPOINT(kClusterMiddleOfDecisions);
    tracks_.Decide(view_, conclusion_.decisions[i], decided);
  }
  for (const Settlement& settled : conclusion_.settled)
    tracks_.SetDecisionState(view_, settled.decision, settled.state, commit_);
  OverrideStore(database_).CountBlocked(view_, staging_.run(), conclusion_.blocked, constraints_);
}

void ClusterApplication::AddClusters() {
  for (std::size_t i = 0; i < conclusion_.clusters.size(); ++i) {
    if (i < snapshot_.clusters.size()) {
      runs_.AddCluster(staging_.run(), i, snapshot_.clusters[i], conclusion_.clusters[i].size(),
                       staging_.representative(i), conclusion_.tracks[i]);
    } else {
      runs_.CarryCluster(staging_.run(), i, active_->active, *conclusion_.tracks[i],
                         conclusion_.clusters[i].size());
    }
  }
  if (snapshot_.coverage == RunCoverage::kPartial && active_) AddCarriedMembers();
}

void ClusterApplication::AddCarriedMembers() {
  MemberSet looked_at = staging_.proposed().unclustered;
  for (const MemberSet& cluster : staging_.proposed().clusters)
    looked_at.insert(looked_at.end(), cluster.begin(), cluster.end());
  std::sort(looked_at.begin(), looked_at.end());
  const auto add = [&](const MemberSet& members, std::optional<std::size_t> ordinal) {
    for (const MemberKey member : members) {
      if (std::binary_search(looked_at.begin(), looked_at.end(), member)) continue;
      runs_.StageMember(staging_.run(), member, ordinal, runs_.StrengthIn(active_->active, member));
    }
  };
  for (std::size_t i = 0; i < conclusion_.clusters.size(); ++i) add(conclusion_.clusters[i], i);
  add(conclusion_.unclustered, std::nullopt);
}

std::string ClusterApplication::Statistics() const {
  return nlohmann::json{{"run", static_cast<std::int64_t>(staging_.run())},
                        {"clusters", conclusion_.clusters.size()},
                        {"clustered", Members()},
                        {"unclustered", conclusion_.unclustered.size()},
                        {"updated", CountOf(LineageOutcome::kUpdated)},
                        {"new", CountOf(LineageOutcome::kNew)},
                        {"dissolved", CountOf(LineageOutcome::kDissolved)},
                        {"merges", CountOf(LineageClass::kMerge)},
                        {"splits", CountOf(LineageClass::kSplit)},
                        {"resurged", CountOf(LineageClass::kResurgence)},
                        {"blocked", conclusion_.blocked.size()}}
      .dump();
}

Verdict ClusterApplication::Run() {
  Match();
  commit_ = context_.store.commits().Begin(
      {view_.branch, "snapshot", envelope_.stream, envelope_.actor, envelope_.created_at,
       envelope_.id.ToText(), envelope_.watermark, ToHexLower(envelope_.payload_sha256),
       static_cast<std::int64_t>(CountOf(LineageOutcome::kNew)),
       static_cast<std::int64_t>(CountOf(LineageOutcome::kUpdated)),
       static_cast<std::int64_t>(CountOf(LineageOutcome::kDissolved))},
      context_.now);
  BeginTracks();
  ChangeTracks();
  Decide();
  AddClusters();
  HELIOGRAPH_FAILPOINT(kClusterBeforeFlip);
  runs_.Flip(staging_.run(), view_, snapshot_.collection,
             active_ ? std::optional(active_->active) : std::nullopt,
             {conclusion_.clusters.size(), Members(), conclusion_.unclustered.size()}, commit_);
  HELIOGRAPH_FAILPOINT(kClusterAfterFlip);
  context_.store.commits().MoveHead(view_.branch, commit_);
  const std::string statistics = Statistics();
  // After the commit's own row in the feed, which is the last of its block.
  if (snapshot_.job)
    ClusterJobStore(database_).Succeed(snapshot_.job->ToText(), staging_.run(), statistics, context_.now);
  Verdict verdict = Verdict::Of(Outcome::kApplied,
                                "run " + std::to_string(static_cast<std::int64_t>(staging_.run())) + ": " +
                                    std::to_string(CountOf(LineageOutcome::kUpdated)) + " clusters go on, " +
                                    std::to_string(CountOf(LineageOutcome::kNew)) + " are new, " +
                                    std::to_string(CountOf(LineageOutcome::kDissolved)) + " dissolved");
  verdict.commit = commit_;
  verdict.result = statistics;
  return verdict;
}

/// A run that is not applied ends its job all the same.
void EndJob(const ApplyContext& context, const Verdict& refusal) {
  const ClusterStaging& staging = *context.staging;
  if (!staging.snapshot().job) return;
  ClusterJobStore jobs(context.store.database());
  const std::string job = staging.snapshot().job->ToText();
  if (refusal.outcome == Outcome::kNoop && !staging.snapshot().clusters.empty()) {
    jobs.Succeed(job, std::nullopt, R"({"unchanged":true})", context.now);
  } else {
    jobs.Fail(job, refusal.reason, context.now);
  }
}

}  // namespace

Verdict ApplyClusterSnapshot(const ApplyContext& context, const queue::QueueFile& file) {
  if (const auto& refusal = context.staging->refusal()) {
    EndJob(context, *refusal);
    return *refusal;
  }
  return ClusterApplication(context, file).Run();
}

}  // namespace heliograph::ingestor
