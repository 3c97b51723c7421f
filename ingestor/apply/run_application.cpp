#include "ingestor/apply/run_application.h"

#include <algorithm>
#include <array>
#include <map>
#include <system_error>

#include "common/failpoint.h"
#include "ingestor/apply/staged_file.h"
#include "ingestor/store/override_store.h"

namespace heliograph::ingestor {
namespace {

// A representative stays while no other member is clearly firmer in the cluster.
constexpr double kStickyStrength = 0.95;

/// An id that is the same whenever this cluster of this file is applied.
std::string TrackId(const queue::Envelope& envelope, ClusterCollection collection, std::size_t cluster) {
  const Sha256Digest digest = Sha256(
      AsBytes(envelope.id.ToText() + "/" + std::string(Name(collection)) + "/" + std::to_string(cluster)));
  std::array<std::uint8_t, Ulid::kRandomSize> random{};
  std::copy_n(digest.begin(), random.size(), random.begin());
  return Ulid::FromParts(envelope.created_at, random).ToText();
}

}  // namespace

RunApplication::RunApplication(const ApplyContext& context, const queue::Envelope& file,
                               const BranchView& view, ClusterStaging& staging)
    : context_(context),
      envelope_(file),
      staging_(staging),
      snapshot_(staging.snapshot()),
      database_(context.store.database()),
      view_(view),
      tracks_(database_),
      runs_(database_) {}

std::size_t RunApplication::CountOf(LineageOutcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(conclusion_.decisions.begin(), conclusion_.decisions.end(),
                    [&](const RecordedDecision& recorded) { return recorded.decision.outcome == outcome; }));
}

std::size_t RunApplication::CountOf(LineageClass kind) const {
  return static_cast<std::size_t>(std::count_if(
      conclusion_.decisions.begin(), conclusion_.decisions.end(), [&](const RecordedDecision& recorded) {
        return recorded.decision.kind == kind && recorded.decision.outcome == LineageOutcome::kUpdated;
      }));
}

std::size_t RunApplication::Members() const {
  std::size_t members = 0;
  for (const MemberSet& cluster : conclusion_.clusters) members += cluster.size();
  return members;
}

void RunApplication::Match(LineageNumbers& numbers) {
  active_ = runs_.Active(view_, snapshot_.collection);
  TrackBook& book = context_.books->Of(database_, view_, snapshot_.collection);
  constraints_ = OverrideStore(database_).Constraints(view_, snapshot_.collection);
  // What began on the branch keeps the id that people know it by there.
  conclusion_ = book.Advance(staging_.run(), staging_.proposed(), snapshot_.match_rule, constraints_,
                             snapshot_.data_time, numbers, staging_.new_to_main());
  HELIOGRAPH_FAILPOINT(kClusterMatched);
}

void RunApplication::CountInto(CommitFacts& facts) const {
  facts.inserted += static_cast<std::int64_t>(CountOf(LineageOutcome::kNew));
  facts.updated += static_cast<std::int64_t>(CountOf(LineageOutcome::kUpdated));
  facts.removed += static_cast<std::int64_t>(CountOf(LineageOutcome::kDissolved));
}

void RunApplication::BeginTracks() {
  for (const RecordedDecision& recorded : conclusion_.decisions) {
    if (recorded.decision.outcome != LineageOutcome::kNew || tracks_.Find(*recorded.decision.track)) continue;
    tracks_.Begin(
        {*recorded.decision.track, TrackId(envelope_, snapshot_.collection, *recorded.decision.cluster),
         snapshot_.collection},
        view_.branch, commit_, static_cast<std::int64_t>(staging_.run()));
  }
}

TrackState RunApplication::Begun(std::size_t cluster) {
  const SnapshotCluster& found = snapshot_.clusters[cluster];
  const TrackKey track = *conclusion_.tracks[cluster];
  TrackState state;
  state.representative = staging_.representative(cluster);
  const auto& brought = staging_.new_to_main();
  if (cluster < brought.size() && brought[cluster] == track) {
    const auto there = tracks_.Now(BranchView::Of(database_, staging_.branch_of_original()), track);
    state.slug = tracks_.FreeSlug(view_, there.value().slug, track);
    state.title = there->title;
    return state;
  }
  state.slug = tracks_.FreeSlug(
      view_,
      !Slugify(found.label).empty()
          ? found.label
          : std::string(Name(snapshot_.collection)) + "-" + std::to_string(static_cast<std::int64_t>(track)),
      track);
  state.title = found.label.empty() ? "Cluster " + state.slug : found.label;
  return state;
}

TrackState RunApplication::Continued(std::size_t cluster, TrackState state) {
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

void RunApplication::ChangeTracks() {
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

void RunApplication::Decide() {
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

void RunApplication::AddClusters() {
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

void RunApplication::AddCarriedMembers() {
  MemberSet looked_at = staging_.proposed().unclustered;
  for (const MemberSet& cluster : staging_.proposed().clusters)
    looked_at.insert(looked_at.end(), cluster.begin(), cluster.end());
  std::sort(looked_at.begin(), looked_at.end());
  const auto add = [&](const MemberSet& members, std::optional<std::size_t> ordinal) {
    for (const MemberKey member : members) {
      if (std::binary_search(looked_at.begin(), looked_at.end(), member)) continue;
      runs_.StageMember(staging_.run(), {member, ordinal, runs_.StrengthIn(active_->active, member)});
    }
  };
  for (std::size_t i = 0; i < conclusion_.clusters.size(); ++i) add(conclusion_.clusters[i], i);
  add(conclusion_.unclustered, std::nullopt);
}

nlohmann::json RunApplication::Statistics() const {
  nlohmann::json statistics{
      {"collection", Name(snapshot_.collection)},       {"run", static_cast<std::int64_t>(staging_.run())},
      {"clusters", conclusion_.clusters.size()},        {"clustered", Members()},
      {"unclustered", conclusion_.unclustered.size()},  {"updated", CountOf(LineageOutcome::kUpdated)},
      {"new", CountOf(LineageOutcome::kNew)},           {"dissolved", CountOf(LineageOutcome::kDissolved)},
      {"merges", CountOf(LineageClass::kMerge)},        {"splits", CountOf(LineageClass::kSplit)},
      {"resurged", CountOf(LineageClass::kResurgence)}, {"blocked", conclusion_.blocked.size()}};
  if (staging_.original()) statistics["copy_of"] = static_cast<std::int64_t>(*staging_.original());
  return statistics;
}

std::string RunApplication::Summary() const {
  return "run " + std::to_string(static_cast<std::int64_t>(staging_.run())) + ": " +
         std::to_string(CountOf(LineageOutcome::kUpdated)) + " clusters go on, " +
         std::to_string(CountOf(LineageOutcome::kNew)) + " are new, " +
         std::to_string(CountOf(LineageOutcome::kDissolved)) + " dissolved";
}

void RunApplication::Write(CommitSeq commit) {
  commit_ = commit;
  BeginTracks();
  ChangeTracks();
  Decide();
  AddClusters();
  HELIOGRAPH_FAILPOINT(kClusterBeforeFlip);
  runs_.Flip(staging_.run(), view_, snapshot_.collection,
             active_ ? std::optional(active_->active) : std::nullopt,
             {conclusion_.clusters.size(), Members(), conclusion_.unclustered.size()}, commit_);
  HELIOGRAPH_FAILPOINT(kClusterAfterFlip);
}

std::deque<RunApplication> ApplicationsOf(const ApplyContext& context, const queue::Envelope& file,
                                          const std::vector<RunKey>& originals) {
  std::vector<ClusterStaging>& staged = context.staged->runs();
  if (!std::equal(
          staged.begin(), staged.end(), originals.begin(), originals.end(),
          [](const ClusterStaging& staging, RunKey original) { return staging.original() == original; }))
    throw std::system_error(EAGAIN, std::generic_category(),
                            "the runs to bring are others than a moment ago");
  const BranchView view = BranchView::Of(context.store.database(), kMainBranch);
  std::deque<RunApplication> applications;
  for (ClusterStaging& staging : staged) applications.emplace_back(context, file, view, staging);
  return applications;
}

}  // namespace heliograph::ingestor
