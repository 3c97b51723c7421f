#pragma once

#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"

namespace heliograph::ingestor {

/// What is versioned of a track.
struct TrackState {
  std::string slug;
  std::string title;
  bool title_pinned = false;
  TrackStatus status = TrackStatus::kActive;
  std::optional<MemberKey> representative;
  std::optional<TrackKey> merged_into;
  bool merged_by_hand = false;

  bool operator==(const TrackState&) const = default;
};

struct StoredTrack {
  TrackKey key{};
  std::string id;
  ClusterCollection collection{};
};

/// A run and the decision's part in it, for TrackStore::Decide.
struct DecisionContext {
  std::int64_t run = 0;
  std::optional<std::int64_t> previous_run;
  MatchRule rule{};
  CommitSeq commit{};
};

/// The tables of tracks, their states, aliases and decisions. Used by the writer's thread, inside its
/// transaction.
class TrackStore {
 public:
  explicit TrackStore(SQLite::Database& database);

  LineageNumbers NextNumbers();

  /// By its id, or a slug or an alias that the branch sees or saw; a merged track is itself.
  std::optional<TrackKey> Named(const BranchView& view, const std::string& name);
  /// What the track is to the branch: a merged one is what it was merged into. Nothing when the branch does
  /// not see it. The track `apart`, if there is one, is taken for merged into nothing.
  std::optional<StoredTrack> Resolve(const BranchView& view, TrackKey track,
                                     std::optional<TrackKey> apart = std::nullopt);
  std::optional<StoredTrack> Find(TrackKey track);

  /// Begins a track. REQUIRED: the number is new.
  void Begin(const StoredTrack& track, BranchId branch, CommitSeq commit, std::optional<std::int64_t> run);

  /// What the branch sees of it, or nothing.
  std::optional<TrackState> Now(const BranchView& view, TrackKey track);
  /// The commit that what the branch sees of it goes back to.
  std::optional<CommitSeq> ChangedAt(const BranchView& view, TrackKey track);
  /// What it was when it last had this title from a person, or of no title, when it last had none from a
  /// person; nothing when it never had.
  std::optional<TrackState> LastTitled(const BranchView& view, TrackKey track,
                                       const std::optional<std::string>& title);
  /// Closes the branch's open interval, if it has one, and opens the next. Does nothing when nothing differs.
  void Change(const BranchView& view, TrackKey track, const TrackState& state, CommitSeq commit);

  /// A slug like `text` that no track has or had on the branch or on main, and no alias is: "hill-dale", then
  /// "hill-dale-2". Where many have one like it, the track's number goes on it: "cph-1234". What other
  /// branches call theirs does not matter.
  std::string FreeSlug(const BranchView& view, const std::string& text, TrackKey track);
  void AddAlias(const std::string& alias, TrackKey track, CommitSeq commit);
  /// Closes the alias, if it is one.
  void EndAlias(const std::string& alias, CommitSeq commit);

  void Decide(const BranchView& view, const RecordedDecision& decision, const DecisionContext& context);
  void SetDecisionState(const BranchView& view, std::int64_t decision, DecisionState state, CommitSeq commit);

  /// Decisions that wait for the next full run of the collection.
  std::vector<OpenDecision> OpenDecisions(const BranchView& view, ClusterCollection collection);
  /// The tracks of the collection that people merged into others, and where each is in the end, as far as
  /// that is settled: a merge that the next run may take back is not followed.
  std::vector<std::pair<TrackKey, TrackKey>> MergedByHand(const BranchView& view,
                                                          ClusterCollection collection);
  /// The tracks of the collection that may go on, or whose merge is not settled, oldest first.
  std::vector<std::pair<TrackKey, TrackState>> Unfinished(const BranchView& view,
                                                          ClusterCollection collection);

 private:
  bool IsTaken(BranchId branch, const std::string& slug);

  SQLite::Database& database_;
  SQLite::Statement now_, close_, open_, begin_, decide_, link_, close_decision_, open_decision_, slug_taken_;
};

/// "Hill & Dale 7" is "hill-dale-7": lower-case ASCII letters and digits, everything else one hyphen between
/// them, at most 60 characters. Empty when nothing is left.
std::string Slugify(const std::string& text);

}  // namespace heliograph::ingestor
