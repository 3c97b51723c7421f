#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "common/cluster_override.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/cluster_staging.h"
#include "ingestor/apply/corrected_clusters.h"
#include "ingestor/store/member_dictionary.h"
#include "ingestor/store/override_store.h"
#include "ingestor/store/statement.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

/// Why a correction is not carried out; caught where the verdict is given.
struct Refused {
  Outcome outcome;
  std::string reason;
};

class OverrideApplication {
 public:
  OverrideApplication(const ApplyContext& context, const queue::QueueFile& file,
                      const ClusterOverride& request)
      : context_(context),
        envelope_(file.envelope),
        request_(request),
        database_(context.store.database()),
        view_(BranchView::Of(database_, kMainBranch)),
        tracks_(database_),
        overrides_(database_) {}

  Verdict Run();

 private:
  StoredTrack Named(const std::string& name);
  void RefuseWhenMovedOn(TrackKey track);
  std::vector<MemberKey> KeysOf(const StoredTrack& track);
  void RequireMembers(const StoredTrack& track, const std::vector<MemberKey>& members);
  void Commit();
  void Record(const StoredTrack& track, std::optional<TrackKey> other, const std::vector<MemberKey>& members);
  void Change(TrackKey track, const TrackState& state);
  void Restand(TrackKey track);
  void RestandHeld(const CorrectedClusters& before);

  void Rename();
  void MoveMembers();
  void Merge();
  void Split();
  void Close();
  void Reopen();
  void Undo();
  void TakeBackTitle(TrackKey track);

  const ApplyContext& context_;
  const queue::Envelope& envelope_;
  const ClusterOverride& request_;
  SQLite::Database& database_;
  BranchView view_;
  TrackStore tracks_;
  OverrideStore overrides_;
  CommitSeq commit_{};
  nlohmann::json result_ = nlohmann::json::object();
};

StoredTrack OverrideApplication::Named(const std::string& name) {
  const auto named = tracks_.Named(view_, name);
  const auto track = named ? tracks_.Resolve(view_, *named) : std::nullopt;
  if (!track) throw Refused{Outcome::kRejected, "there is no cluster " + name};
  RefuseWhenMovedOn(*named);
  RefuseWhenMovedOn(track->key);
  return *track;
}

void OverrideApplication::RefuseWhenMovedOn(TrackKey track) {
  const CommitSeq base{envelope_.base_commit_seq};
  const auto changed = tracks_.ChangedAt(view_, track), touched = overrides_.TouchedAt(track);
  const CommitSeq newest = std::max(changed.value_or(CommitSeq{}), touched.value_or(CommitSeq{}));
  if (newest > base)
    throw Refused{Outcome::kConflict, "it is based on commit " + std::to_string(envelope_.base_commit_seq) +
                                          ", and the cluster has changed since, in commit " +
                                          std::to_string(static_cast<std::int64_t>(newest)) +
                                          "; look at it again"};
}

std::vector<MemberKey> OverrideApplication::KeysOf(const StoredTrack& track) {
  MemberDictionary dictionary(database_, context_.store.identities());
  std::vector<MemberKey> members;
  for (const std::string& key : request_.members) {
    const auto member = dictionary.Find(track.collection, key);
    if (!member) throw Refused{Outcome::kRejected, "there is no member " + key};
    members.push_back(*member);
  }
  std::sort(members.begin(), members.end());
  return members;
}

void OverrideApplication::RequireMembers(const StoredTrack& track, const std::vector<MemberKey>& members) {
  const MemberSet present = CorrectedClusters(database_, view_, track.collection).MembersOf(track.key);
  if (!std::includes(present.begin(), present.end(), members.begin(), members.end()))
    throw Refused{Outcome::kRejected, "not all of them are members of the cluster"};
  if (present.size() == members.size())
    throw Refused{Outcome::kRejected, "it would leave the cluster without members"};
}

void OverrideApplication::Commit() {
  CommitFacts facts;
  facts.kind = "edit";
  facts.stream = envelope_.stream;
  facts.actor = envelope_.actor;
  facts.authored_at = envelope_.created_at;
  facts.ledger_id = envelope_.id.ToText();
  facts.updated = 1;
  commit_ = context_.store.commits().Begin(facts, context_.now);
}

void OverrideApplication::Record(const StoredTrack& track, std::optional<TrackKey> other,
                                 const std::vector<MemberKey>& members) {
  StoredOverride added;
  added.id = envelope_.id.ToText();
  added.commit = commit_;
  added.collection = track.collection;
  added.action = request_.action;
  added.track = track.key;
  added.other = other;
  if (!request_.title.empty()) added.title = request_.title;
  if (request_.undoes) added.undoes = request_.undoes->ToText();
  added.actor = envelope_.actor;
  added.reason = request_.reason;
  added.created_at = envelope_.created_at;
  overrides_.Add(added, members);
  result_["override"] = added.id;
  result_["cluster"] = track.id;
}

void OverrideApplication::Change(TrackKey track, const TrackState& state) {
  const auto before = tracks_.Now(view_, track);
  tracks_.Change(view_, track, state, commit_);
  if (!before) return;  // a new one, which no run has matched yet
  TrackBook* book = context_.books->Find(kMainBranch, tracks_.Find(track)->collection);
  if (book == nullptr) return;
  const auto known = book->standings().find(track);
  if (before->merged_into == state.merged_into && known != book->standings().end()) {
    book->SetStanding(track,
                      {state.status, state.merged_into, state.merged_by_hand, known->second.last_seen});
  } else {
    // Who may go on, and as what, is another question now.
    context_.books->Forget();
  }
}

/// Gives the track the status that the corrections in force and the active run come to.
void OverrideApplication::Restand(TrackKey track) {
  TrackState state = *tracks_.Now(view_, track);
  if (state.merged_into && !state.merged_by_hand) return;  // a run said so, and no person
  state.merged_into = overrides_.GoneInto(track);
  if (state.merged_into && tracks_.Resolve(view_, *state.merged_into)->key == track)
    state.merged_into.reset();  // it was merged into this one since
  state.merged_by_hand = state.merged_into.has_value();
  const ClusterCollection collection = tracks_.Find(track)->collection;
  if (state.merged_into) {
    state.status = TrackStatus::kMerged;
  } else if (overrides_.IsClosed(track)) {
    state.status = TrackStatus::kClosed;
  } else if (CorrectedClusters(database_, view_, collection, track).Lives(track)) {
    state.status = TrackStatus::kActive;
  } else if (state.status != TrackStatus::kEnded) {
    state.status = TrackStatus::kDormant;
  }
  Change(track, state);
}

/// Restands the tracks that members have been pinned to, or no longer are.
void OverrideApplication::RestandHeld(const CorrectedClusters& before) {
  const CorrectedClusters after(database_, view_, before.collection());
  for (const auto& [track, standing] : before.held())
    if (!after.held().contains(track)) Restand(track);
  for (const auto& [track, standing] : after.held())
    if (!before.held().contains(track)) Restand(track);
}

void OverrideApplication::Rename() {
  const StoredTrack track = Named(request_.cluster);
  TrackState state = *tracks_.Now(view_, track.key);
  Commit();
  const bool has_it = state.title == request_.title;
  state.title = request_.title;
  state.title_pinned = true;
  if (const std::string wanted = Slugify(request_.title);
      !has_it && !wanted.empty() && wanted != state.slug) {
    tracks_.AddAlias(state.slug, track.key, commit_);
    state.slug = tracks_.FreeSlug(view_, request_.title, track.key);
  }
  Change(track.key, state);
  Record(track, std::nullopt, {});
}

void OverrideApplication::MoveMembers() {
  const StoredTrack track = Named(request_.cluster);
  const auto members = KeysOf(track);
  if (request_.action == OverrideAction::kExclude) RequireMembers(track, members);
  const CorrectedClusters before(database_, view_, track.collection);
  Commit();
  Record(track, std::nullopt, members);
  RestandHeld(before);
}

void OverrideApplication::Merge() {
  const StoredTrack track = Named(request_.cluster), other = Named(request_.other);
  if (track.key == other.key) throw Refused{Outcome::kRejected, "the two are one cluster already"};
  if (track.collection != other.collection)
    throw Refused{Outcome::kRejected, "the two are clusters of different collections"};
  const CorrectedClusters before(database_, view_, track.collection);
  // Who is put together, for the runs to come: names alone would not tell once the two are one cluster.
  MemberSet members = before.MembersOf(track.key), others = before.MembersOf(other.key);
  members.insert(members.end(), others.begin(), others.end());
  std::sort(members.begin(), members.end());
  Commit();
  Record(track, other.key, members);
  Restand(other.key);
  Restand(track.key);
}

void OverrideApplication::Split() {
  const StoredTrack track = Named(request_.cluster);
  const auto members = KeysOf(track);
  RequireMembers(track, members);
  const CorrectedClusters before(database_, view_, track.collection);
  Commit();
  const TrackState whole = *tracks_.Now(view_, track.key);
  const Sha256Digest digest = Sha256(AsBytes(envelope_.id.ToText()));
  std::array<std::uint8_t, Ulid::kRandomSize> random{};
  std::copy_n(digest.begin(), random.size(), random.begin());
  const StoredTrack part{TrackKey{tracks_.NextNumbers().next_track},
                         Ulid::FromParts(envelope_.created_at, random).ToText(), track.collection};
  tracks_.Begin(part, kMainBranch, commit_, std::nullopt);
  TrackState state;
  state.title = request_.title.empty() ? whole.title + " (split off)" : request_.title;
  state.title_pinned = !request_.title.empty();
  state.slug = tracks_.FreeSlug(view_, Slugify(state.title).empty() ? whole.slug : state.title, part.key);
  state.representative = members.front();
  Change(part.key, state);
  Record(track, part.key, members);
  RestandHeld(before);
  result_["split_off"] = part.id;
}

void OverrideApplication::Close() {
  const StoredTrack track = Named(request_.cluster);
  TrackState state = *tracks_.Now(view_, track.key);
  if (state.status == TrackStatus::kClosed) throw Refused{Outcome::kNoop, "the cluster is closed already"};
  Commit();
  state.status = TrackStatus::kClosed;
  Change(track.key, state);
  Record(track, std::nullopt, {});
}

void OverrideApplication::Reopen() {
  const StoredTrack track = Named(request_.cluster);
  if (tracks_.Now(view_, track.key)->status != TrackStatus::kClosed)
    throw Refused{Outcome::kNoop, "the cluster is not closed"};
  Commit();
  Record(track, std::nullopt, {});
  Restand(track.key);
}

/// The title that the renames in force come to, with the slug that came with it.
void OverrideApplication::TakeBackTitle(TrackKey track) {
  TrackState state = *tracks_.Now(view_, track);
  const auto title = overrides_.TitleOf(track);
  const auto before = tracks_.LastTitled(view_, track, title);
  if (!before || (state.title == before->title && state.title_pinned == before->title_pinned)) return;
  state.title = before->title;
  state.title_pinned = before->title_pinned;
  if (before->slug != state.slug) {
    tracks_.EndAlias(before->slug, commit_);
    tracks_.AddAlias(state.slug, track, commit_);
    state.slug = before->slug;
  }
  Change(track, state);
}

void OverrideApplication::Undo() {
  const std::string id = request_.undoes->ToText();
  const auto undone = overrides_.Find(id);
  if (!undone) throw Refused{Outcome::kRejected, "there is no override " + id};
  if (undone->action == OverrideAction::kUndo)
    throw Refused{Outcome::kRejected, "an undo is not undone; make the correction again"};
  if (!undone->in_force) throw Refused{Outcome::kNoop, "the override is undone already"};
  RefuseWhenMovedOn(undone->track);
  if (undone->other) RefuseWhenMovedOn(*undone->other);
  const CorrectedClusters before(database_, view_, undone->collection);
  Commit();
  overrides_.End(id, commit_);
  Record(*tracks_.Find(undone->track), undone->other, {});
  if (undone->action == OverrideAction::kRename) return TakeBackTitle(undone->track);
  if (undone->other) Restand(*undone->other);
  Restand(undone->track);
  RestandHeld(before);
}

Verdict OverrideApplication::Run() {
  constexpr std::array<void (OverrideApplication::*)(), 8> kSteps{
      &OverrideApplication::Rename, &OverrideApplication::MoveMembers, &OverrideApplication::MoveMembers,
      &OverrideApplication::Merge,  &OverrideApplication::Split,       &OverrideApplication::Close,
      &OverrideApplication::Reopen, &OverrideApplication::Undo};
  (this->*kSteps.at(static_cast<std::size_t>(request_.action)))();
  context_.store.commits().MoveHead(kMainBranch, commit_);
  Verdict verdict = Verdict::Of(Outcome::kApplied, std::string(Name(request_.action)) + " is recorded");
  verdict.commit = commit_;
  verdict.result = result_.dump();
  return verdict;
}

}  // namespace

Verdict ApplyOverride(const ApplyContext& context, const queue::QueueFile& file) {
  const auto request = DecodeClusterOverride(file.payload);
  if (!request) return Verdict::Of(Outcome::kRejected, request.error());
  if (file.envelope.branch_id != static_cast<std::int64_t>(kMainBranch))
    return Verdict::Of(Outcome::kRejected,
                       "corrections are made on main, and bind what is merged there: branch_id must be 1");
  try {
    return OverrideApplication(context, file, *request).Run();
  } catch (const Refused& refused) {
    return Verdict::Of(refused.outcome, refused.reason);
  }
}

}  // namespace heliograph::ingestor
