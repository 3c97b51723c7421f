#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/member_corrections.h"
#include "common/time.h"
#include "ingestor/clusters/matcher.h"

namespace heliograph::ingestor {

enum class TrackStatus : std::uint8_t {
  kActive,   ///< it has a cluster in the last run
  kDormant,  ///< it has none, and may come back
  kEnded,    ///< it has had none for so long that what looks like it is another
  kMerged,   ///< it went into another track, and its names lead there
  kClosed,   ///< a person closed it: it goes on matching, and stays closed
};
/// "active", "dormant", "ended", "merged", "closed".
std::string_view Name(TrackStatus status);
std::optional<TrackStatus> ParseTrackStatus(std::string_view name);

/// A dormant track ends after this many runs without it, or this much data time, whichever comes first.
inline constexpr std::size_t kDormantRuns = 1000;
inline constexpr std::chrono::hours kDormantTime{14 * 24};
/// The dormant tracks that a book keeps were last seen in at most this many runs; those that were seen longer
/// ago end. A match needs everybody who was present in each of these runs, so that this bounds its time, the
/// memory, and the runs that are not pruned.
inline constexpr std::size_t kDormantSightings = 32;

/// A track as the book keeps it between runs.
struct TrackStanding {
  TrackStatus status = TrackStatus::kActive;
  std::optional<TrackKey> merged_into;  ///< present exactly when the status is kMerged
  bool by_hand = false;                 ///< a person merged it: its own clusters go on below the other track
  std::optional<UtcMillis> last_seen;   ///< data time of the last run that it had a cluster in

  bool operator==(const TrackStanding&) const = default;
};

/// What people decided, as far as it binds a run. The corrections name tracks by their roots.
struct TrackConstraints : MemberCorrections<TrackKey, MemberKey> {
  std::map<TrackKey, TrackKey> roots;      ///< where tracks that went into others are in the end
  std::map<TrackKey, TrackKey> wholes;     ///< the same for those that people merged, as far as it is settled
  std::map<TrackKey, TrackStanding> held;  ///< the tracks that members are pinned to, as they stand

  bool empty() const { return MemberCorrections::empty() && wholes.empty(); }
  TrackKey RootOf(TrackKey track) const { return At(roots, track); }
  TrackKey WholeOf(TrackKey track) const { return At(wholes, track); }

 private:
  static TrackKey At(const std::map<TrackKey, TrackKey>& tracks, TrackKey track) {
    const auto found = tracks.find(track);
    return found != tracks.end() ? found->second : track;
  }
};

/// The numbers that the next tracks and decisions get.
struct LineageNumbers {
  std::int64_t next_track = 1;
  std::int64_t next_decision = 1;
};

/// A decision with its number, and with the tracks that begin in its run.
struct RecordedDecision {
  std::int64_t id = 0;
  LineageDecision decision;            ///< `track` is always there
  std::vector<TrackKey> child_tracks;  ///< those of `other_clusters` of a track that goes on
};

struct Settlement {
  std::int64_t decision = 0;
  DecisionState state{};

  bool operator==(const Settlement&) const = default;
};

/// What one run did to the tracks.
struct RunConclusion {
  /// The clusters as the run leaves the collection: as proposed; of a partial run, completed by what it did
  /// not look at, after the proposed ones.
  std::vector<MemberSet> clusters;
  MemberSet unclustered;
  /// By cluster. Nothing when every member is pinned and the pins name no free track.
  std::vector<std::optional<TrackKey>> tracks;
  std::vector<RecordedDecision> decisions;
  std::vector<Settlement> settled;
  std::map<TrackKey, TrackStanding> standings;  ///< of the tracks that begin or whose standing changed
  std::vector<std::pair<TrackKey, MemberKey>> blocked;  ///< exclusions that the run would have gone against
};

/// The memory of one collection on one branch: everything that the match of the next run depends on. The same
/// books and the same run give the same conclusion.
class TrackBook {
 public:
  TrackBook() = default;

  /// Matches the run, and remembers it. Tracks and decisions get their numbers from `numbers`, which moves
  /// on; a cluster that begins a track has the number that `brought` gives it, if there is one. REQUIRED: no
  /// number in `brought` (by cluster; may be shorter) is twice there, or was ever a track of this book.
  RunConclusion Advance(RunKey key, const ProposedRun& run, MatchRule rule,
                        const TrackConstraints& constraints, std::optional<UtcMillis> data_time,
                        LineageNumbers& numbers, const std::vector<std::optional<TrackKey>>& brought = {});

  /// What a person did to a track between two runs. A track that the book does not know, for it is long over,
  /// is left alone.
  void SetStanding(TrackKey track, const TrackStanding& standing);

  // What a stored book is put together from. REQUIRED: runs newest first, each before the snapshots of it;
  // the snapshots of a track newest first.
  void RestoreRun(RunKey run, std::size_t age, MemberSet present);
  void RestoreTrack(TrackKey track, const TrackStanding& standing, bool provisional);
  void RestoreSnapshot(TrackKey track, RunKey run, MemberSet members);
  void RestoreOpenDecision(OpenDecision decision);
  /// A merge that a person took back: these members count no longer for `whole` in the runs from `first` to
  /// `last`, so that both tracks are found again by who they were. REQUIRED: all snapshots are restored.
  void TakeApart(TrackKey whole, RunKey first, RunKey last, const MemberSet& members);

  const TrackWorld& world() const { return world_; }
  const std::map<TrackKey, TrackStanding>& standings() const { return standings_; }

 private:
  TrackMemory* Find(TrackKey track);
  void Complete(const ProposedRun& run, RunConclusion& conclusion) const;
  void SettleOpen(const std::vector<TrackKey>& matched, RunConclusion& conclusion);
  void Record(const MatchResult& match, LineageNumbers& numbers,
              const std::vector<std::optional<TrackKey>>& brought, RunConclusion& conclusion);
  void Stand(TrackKey track, const TrackStanding& standing, RunConclusion& conclusion);
  void StandAfter(const RecordedDecision& recorded, const TrackConstraints& constraints,
                  std::optional<UtcMillis> data_time, RunConclusion& conclusion);
  /// Tracks that go on in clusters of pinned members alone, about which nothing was decided.
  void StandByPins(const TrackConstraints& constraints, std::optional<UtcMillis> data_time,
                   RunConclusion& conclusion);
  void EndWhatIsLongGone(std::optional<UtcMillis> data_time, RunConclusion& conclusion);
  void ForgetOldClusters(const std::map<RunKey, std::size_t>& age);
  std::optional<std::size_t> OldestDormancy(const std::map<RunKey, std::size_t>& age) const;
  void Drop(std::vector<TrackKey> tracks);
  void DropUnneededRuns();
  void Remember(RunKey key, const RunConclusion& conclusion);

  TrackWorld world_;
  std::map<TrackKey, TrackStanding> standings_;  ///< of the tracks in world_
  std::vector<OpenDecision> open_;
};

}  // namespace heliograph::ingestor
