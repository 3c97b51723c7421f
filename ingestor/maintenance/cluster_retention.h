#pragma once

#include "ingestor/maintenance/ticker.h"
#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

/// How applied runs are thinned: of a day ago and younger the newest of each hour stays, of a month ago and
/// younger the newest of each day, of older ones none. Not touched are, of main and of every live branch, the
/// active and the previous run, those that the match of the next run looks at, and those with a tentative
/// decision; nor those that were active at the base of a live branch or at a commit that is pinned. Of a
/// deleted branch every run goes. Tracks, decisions, overrides and aliases of a pruned run stay, and so does
/// the row that says what it was.
///
/// One step: sweeps what no pointer names, takes the pointers of deleted branches away, marks a run as
/// pruned, or deletes some thousand of its rows. Ages count from `wall_clock`. REQUIRED: no transaction is
/// open, and no run is being staged.
StepOutcome PruneClusterRuns(MeshStore& store, UtcMillis wall_clock);

/// Deletes jobs that ended more than 30 days before `wall_clock`, but the newest thousand.
StepOutcome PruneClusterJobs(MeshStore& store, UtcMillis wall_clock);

}  // namespace heliograph::ingestor
