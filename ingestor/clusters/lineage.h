#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heliograph::ingestor {

/// The integer of a node or an item: smaller means met earlier.
enum class MemberKey : std::int64_t {};
/// The integer of a track: smaller means older.
enum class TrackKey : std::int64_t {};
/// The integer of a run: runs of a collection are applied in the order of their numbers.
enum class RunKey : std::int64_t {};

/// Sorted, each key once.
using MemberSet = std::vector<MemberKey>;

/// What a run means for one cluster, in the words of the earlier systems.
enum class LineageOutcome : std::uint8_t {
  kUpdated,    ///< a track goes on in a cluster of the run
  kNew,        ///< a cluster of the run begins a track
  kDissolved,  ///< a track has no cluster in the run
};

/// What happened, in more detail.
enum class LineageClass : std::uint8_t {
  kContinuation,  ///< the size stayed within a tenth; the turnover says how many members changed
  kGrowth,
  kContraction,
  kMerge,       ///< more than half of each of several tracks is now one cluster, each a fair part of it
  kAbsorb,      ///< the same, but what came is a small part of the whole
  kSplit,       ///< several clusters come from one track, each a fair part of it
  kShed,        ///< the same, but what left is a small part of the whole
  kBirth,       ///< a cluster that comes from no track
  kEnd,         ///< a track whose members are gone or scattered
  kResurgence,  ///< a track that had been away is back
};

/// How far a decision can be relied on.
enum class DecisionState : std::uint8_t {
  kTentative,  ///< the next full run will tell
  kConfirmed,
  kReverted,  ///< the next full run took it back
};

std::string_view Name(LineageOutcome outcome);  ///< "updated", "new", "dissolved"
std::string_view Name(LineageClass kind);       ///< "continuation", "growth", …
std::string_view Name(DecisionState state);     ///< "tentative", "confirmed", "reverted"
std::optional<LineageOutcome> ParseLineageOutcome(std::string_view name);
std::optional<LineageClass> ParseLineageClass(std::string_view name);
std::optional<DecisionState> ParseDecisionState(std::string_view name);

/// The figures that a decision rests on. Shares compare only members that both worlds know.
struct LineageFigures {
  std::size_t shared = 0;      ///< members that the track had and the cluster has
  std::size_t old_size = 0;    ///< of the track when it was last seen; 0 for a birth
  std::size_t new_size = 0;    ///< of the cluster; 0 when the track dissolved
  double share_old = 0;        ///< `shared` of the track's members that are present now
  double share_new = 0;        ///< `shared` of the cluster's members that the track's run knew
  double jaccard = 0;          ///< against the track when it was last seen, all members
  double present_jaccard = 0;  ///< the same among members that both worlds know: what identity rests on
  double turnover = 0;         ///< share of members that one of the two has and the other has not
  double score = 0;            ///< of the match: present_jaccard, less for an older snapshot
  double second = 0;           ///< the best score that the track or the cluster had elsewhere
  double confidence = 0;       ///< the smaller share, times how far the match is ahead of the second

  bool operator==(const LineageFigures&) const = default;
};

/// What one run decided about one cluster, old or new.
struct LineageDecision {
  LineageOutcome outcome{};
  LineageClass kind{};
  DecisionState state = DecisionState::kConfirmed;
  std::optional<std::size_t> cluster;  ///< its index in the run; nothing exactly when the track dissolved
  std::optional<TrackKey> track;       ///< nothing exactly when a track begins
  /// Other tracks that it concerns: what was merged or absorbed; the parent of what was split off or shed;
  /// what a dissolved track went into. Ascending.
  std::vector<TrackKey> other_tracks;
  /// Clusters of the run that it concerns besides its own: what was split off or shed from it; what it went
  /// into when it dissolved. Ascending.
  std::vector<std::size_t> other_clusters;
  std::size_t newcomers = 0;  ///< members that the track did not have when it was last seen
  LineageFigures figures;

  bool operator==(const LineageDecision&) const = default;
};

/// The decision in a sentence or two for a person.
std::string Reason(const LineageDecision& decision);

}  // namespace heliograph::ingestor
