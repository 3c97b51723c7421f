#pragma once

#include <utility>
#include <vector>

#include "ingestor/clusters/track_book.h"

namespace heliograph::ingestor {

/// Match, with what people decided held against both worlds: a pinned member counts in neither, and an
/// excluded one is no member of that track's snapshots.
///
/// A cluster of pinned members alone continues the track that most of them are pinned to, unless that goes on
/// elsewhere; it has no decision then, for nothing was decided.
///
/// Tracks that went into another one by hand are remembered as parts of it as well: a cluster of all of them
/// continues that one, and where the run has several clusters for them, the others continue the parts below
/// it. It never ends while one of its parts goes on.
///
/// `blocked` receives the members that the run put into a track that they are excluded from, with the root of
/// that track.
MatchResult MatchUnder(const TrackConstraints& constraints, const TrackWorld& world, const ProposedRun& run,
                       MatchRule rule, std::vector<std::pair<TrackKey, MemberKey>>& blocked);

}  // namespace heliograph::ingestor
