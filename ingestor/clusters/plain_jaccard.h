#pragma once

#include "ingestor/clusters/matcher.h"

namespace heliograph::ingestor {

/// The match by MatchRule::kPlainJaccard, as Match describes it: pairs of the same Jaccard go by shared
/// members, the age of the track and the smallest key of the cluster.
MatchResult MatchByPlainJaccard(const TrackWorld& world, const ProposedRun& run);

}  // namespace heliograph::ingestor
