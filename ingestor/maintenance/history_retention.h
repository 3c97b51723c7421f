#pragma once

#include "ingestor/maintenance/retention.h"
#include "ingestor/maintenance/ticker.h"
#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

/// The oldest commit that must stay answerable: one that is young enough or among the newest of its stream,
/// the base of a live branch, or one that is pinned.
CommitSeq WantedHistoryFloor(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);

/// A step of maintenance, as those of retention.h: forgets pins that have expired, raises the floor of
/// history first, and deletes below it afterwards what was closed by then, and what deleted branches wrote. A
/// crash between the two keeps too much, and the next round goes on. REQUIRED: no transaction is open.
StepOutcome PruneHistory(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);

}  // namespace heliograph::ingestor
