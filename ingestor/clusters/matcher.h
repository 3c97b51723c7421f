#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/lineage.h"

namespace heliograph::ingestor {

/// How many snapshots of a track the match looks at.
inline constexpr std::size_t kRememberedSnapshots = 8;
/// A snapshot from this many runs ago counts only when it is its track's newest, and grows no older: what
/// comes back after a long time has to be about half of what it was.
inline constexpr std::size_t kForgottenAge = 16;

/// What a track was in one run.
struct RememberedCluster {
  RunKey run{};
  MemberSet members;  ///< at least one
};

/// A track that may go on in the next run.
struct TrackMemory {
  TrackKey key{};
  bool provisional = false;  ///< its beginning is tentative: if it is gone again, that is no event
  std::vector<RememberedCluster> snapshots;  ///< newest first; one to kRememberedSnapshots
};

/// Whom a run looked at, in a cluster or not.
struct RunPresence {
  RunKey run{};
  std::size_t age = 0;  ///< runs of the collection since; 0 for the last one
  MemberSet present;
};

/// What came before: the tracks that may go on, and every run that one of their snapshots is of. A track
/// whose newest snapshot is of the last run is active, any other is dormant.
struct TrackWorld {
  std::vector<RunPresence> runs;  ///< newest first; the last run is the first, even when no snapshot is of it
  std::vector<TrackMemory> tracks;
};

/// A run without identities.
struct ProposedRun {
  RunCoverage coverage = RunCoverage::kFull;
  std::vector<MemberSet> clusters;  ///< disjoint, none empty
  MemberSet unclustered;            ///< present, and in none of them
};

struct MatchResult {
  std::vector<std::optional<TrackKey>> tracks;  ///< by cluster; nothing: it begins a track
  /// One for each cluster in their order, then one for each active track that goes on in none of them, oldest
  /// first. A partial run dissolves nothing.
  std::vector<LineageDecision> decisions;
};

/// Says which track each cluster of `run` continues and what happened to the others. No track continues in
/// two clusters, and no cluster continues two tracks. Neither the order of clusters nor that of tracks
/// matters.
///
/// The rule kMemory compares only members that both worlds know: with P a remembered snapshot and C a
/// cluster, I = |P∩C|, p = |P ∩ present now| (|P| for a dormant track), c = |C ∩ present at P's run|, the
/// score is I / (p + c - I), less 3 % for each run of age up to
/// kForgottenAge, the best of the track's snapshots, at least 0.30
/// and with I of at least 2 unless one of the two is a single. The choice is the assignment of the greatest
/// sum. Where it leaves both sides of a many-way merge or split without a partner, the greatest part takes
/// the identity.
///
/// The rule kPlainJaccard looks at the last run alone and all members, takes pairs of at least 0.5 greedily,
/// and knows neither merges nor splits nor doubts.
MatchResult Match(const TrackWorld& world, const ProposedRun& run, MatchRule rule);

/// A decision that waited for the next full run.
struct OpenDecision {
  std::int64_t id = 0;
  LineageOutcome outcome{};
  LineageClass kind{};
  std::optional<TrackKey> track;       ///< that goes on, began, or dissolved
  std::vector<TrackKey> other_tracks;  ///< what was merged or absorbed into it
  std::vector<TrackKey> child_tracks;  ///< what split off from it or was shed
};

/// What becomes of it when the tracks in `matched` (ascending) go on in a full run: never kTentative.
DecisionState Settle(const OpenDecision& decision, const std::vector<TrackKey>& matched);

}  // namespace heliograph::ingestor
