#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "common/cluster_override.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/cluster_staging.h"
#include "ingestor/store/cluster_run_store.h"
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
  TrackStatus LiveStatus(TrackKey track, ClusterCollection collection);

  void Rename();
  void MoveMembers();
  void Merge();
  void Split();
  void Close();
  void Reopen();
  void Undo();
  void TakeBack(const StoredOverride& undone);
  void TakeBackRename(const StoredOverride& undone);
  void TakeBackMerge(const StoredOverride& undone);
  void TakeBackSplit(const StoredOverride& undone);

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
  const auto named = tracks_.Named(name);
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
  const auto constraints = overrides_.Constraints(view_, track.collection);
  const auto active = ClusterRunStore(database_).Active(view_, track.collection);
  // The clusters of tracks that a person merged into it are its own too.
  SQLite::Statement rows(
      database_,
      "SELECT m.member_key FROM cluster_snapshots AS c JOIN cluster_members AS m"
      " USING(run_id, ordinal) WHERE c.run_id=?1 AND (c.track_key=?2 OR c.track_key IN"
      " (SELECT track_key FROM cluster_track_states WHERE branch_id=1 AND to_seq IS NULL AND"
      " merged_into=?2)) ORDER BY m.member_key");
  RowBinder row(rows);
  row.Integer(active ? static_cast<std::int64_t>(active->active) : 0)
      .Integer(static_cast<std::int64_t>(track.key));
  MemberSet present;
  while (row.Step()) {
    const MemberKey member{rows.getColumn(0).getInt64()};
    if (!constraints.pinned.contains(member) && !constraints.excluded.contains({track.key, member}))
      present.push_back(member);
  }
  for (const auto& [member, pinned] : constraints.pinned)
    if (pinned == track.key) present.push_back(member);
  std::sort(present.begin(), present.end());
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
  tracks_.Change(view_, track, state, commit_);
  const auto stored = tracks_.Find(track);
  TrackBook* book = context_.books->Find(kMainBranch, stored->collection);
  if (book == nullptr) return;
  const auto known = book->standings().find(track);
  if (known != book->standings().end())
    book->SetStanding(track,
                      {state.status, state.merged_into, state.merged_by_hand, known->second.last_seen});
}

TrackStatus OverrideApplication::LiveStatus(TrackKey track, ClusterCollection collection) {
  const auto active = ClusterRunStore(database_).Active(view_, collection);
  SQLite::Statement present(database_, "SELECT 1 FROM cluster_snapshots WHERE track_key=? AND run_id=?");
  const bool in_active = active && RowBinder(present)
                                       .Integer(static_cast<std::int64_t>(track))
                                       .Integer(static_cast<std::int64_t>(active->active))
                                       .Step();
  const auto pinned = overrides_.Constraints(view_, collection).pinned;
  const bool held =
      std::any_of(pinned.begin(), pinned.end(), [&](const auto& pin) { return pin.second == track; });
  return in_active || held ? TrackStatus::kActive : TrackStatus::kDormant;
}

void OverrideApplication::Rename() {
  const StoredTrack track = Named(request_.cluster);
  TrackState state = *tracks_.Now(view_, track.key);
  Commit();
  state.title = request_.title;
  state.title_pinned = true;
  if (const std::string wanted = Slugify(request_.title); !wanted.empty() && wanted != state.slug) {
    tracks_.AddAlias(state.slug, track.key, commit_);
    state.slug = tracks_.FreeSlug(request_.title);
  }
  Change(track.key, state);
  Record(track, std::nullopt, {});
}

void OverrideApplication::MoveMembers() {
  const StoredTrack track = Named(request_.cluster);
  const auto members = KeysOf(track);
  if (request_.action == OverrideAction::kExclude) RequireMembers(track, members);
  Commit();
  Record(track, std::nullopt, members);
}

void OverrideApplication::Merge() {
  const StoredTrack track = Named(request_.cluster), other = Named(request_.other);
  if (track.key == other.key) throw Refused{Outcome::kRejected, "the two are one cluster already"};
  if (track.collection != other.collection)
    throw Refused{Outcome::kRejected, "the two are clusters of different collections"};
  Commit();
  TrackState state = *tracks_.Now(view_, other.key);
  state.status = TrackStatus::kMerged;
  state.merged_into = track.key;
  state.merged_by_hand = true;
  Change(other.key, state);
  Record(track, other.key, {});
}

void OverrideApplication::Split() {
  const StoredTrack track = Named(request_.cluster);
  const auto members = KeysOf(track);
  RequireMembers(track, members);
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
  state.slug = tracks_.FreeSlug(Slugify(state.title).empty() ? whole.slug : state.title);
  state.representative = members.front();
  Change(part.key, state);
  Record(track, part.key, members);
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
  TrackState state = *tracks_.Now(view_, track.key);
  if (state.status != TrackStatus::kClosed) throw Refused{Outcome::kNoop, "the cluster is not closed"};
  Commit();
  state.status = LiveStatus(track.key, track.collection);
  Change(track.key, state);
  Record(track, std::nullopt, {});
}

void OverrideApplication::TakeBackRename(const StoredOverride& undone) {
  TrackState state = *tracks_.Now(view_, undone.track);
  const auto before = tracks_.Before(view_, undone.track, undone.commit);
  // A later name stays, whatever becomes of an earlier one.
  if (!before || state.title != undone.title) return;
  state.title = before->title;
  state.title_pinned = before->title_pinned;
  if (before->slug != state.slug) {
    tracks_.EndAlias(before->slug, commit_);
    tracks_.AddAlias(state.slug, undone.track, commit_);
    state.slug = before->slug;
  }
  Change(undone.track, state);
}

void OverrideApplication::TakeBackMerge(const StoredOverride& undone) {
  TrackState state = *tracks_.Now(view_, *undone.other);
  if (!state.merged_by_hand) return;
  state.merged_into.reset();
  state.merged_by_hand = false;
  state.status = LiveStatus(*undone.other, undone.collection);
  Change(*undone.other, state);
}

void OverrideApplication::TakeBackSplit(const StoredOverride& undone) {
  TrackState state = *tracks_.Now(view_, *undone.other);
  // Its names lead to where its members are again.
  state.status = TrackStatus::kMerged;
  state.merged_into = undone.track;
  state.merged_by_hand = true;
  Change(*undone.other, state);
}

void OverrideApplication::TakeBack(const StoredOverride& undone) {
  switch (undone.action) {
    case OverrideAction::kRename:
      return TakeBackRename(undone);
    case OverrideAction::kMerge:
      return TakeBackMerge(undone);
    case OverrideAction::kSplit:
      return TakeBackSplit(undone);
    case OverrideAction::kClose:
    case OverrideAction::kReopen: {
      TrackState state = *tracks_.Now(view_, undone.track);
      if (state.status == TrackStatus::kMerged) return;
      state.status = undone.action == OverrideAction::kReopen ? TrackStatus::kClosed
                                                              : LiveStatus(undone.track, undone.collection);
      return Change(undone.track, state);
    }
    case OverrideAction::kExclude:
    case OverrideAction::kInclude:
    case OverrideAction::kUndo:
      return;  // what is in force no more binds nothing
  }
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
  Commit();
  overrides_.End(id, commit_);
  TakeBack(*undone);
  Record(*tracks_.Find(undone->track), undone->other, {});
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
    return Verdict::Of(Outcome::kRejected, "corrections are made on main: branch_id must be 1");
  try {
    return OverrideApplication(context, file, *request).Run();
  } catch (const Refused& refused) {
    return Verdict::Of(refused.outcome, refused.reason);
  }
}

}  // namespace heliograph::ingestor
