#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ingestor/maintenance/ticker.h"
#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

/// How long things are kept. Nothing means for ever.
struct RetentionRules {
  std::optional<int> node_days = 7;            ///< until a silent node is moved to inactive_nodes; data time
  std::optional<int> observer_days = 14;       ///< until a silent observer is marked inactive; data time
  std::optional<int> metrics_days = 30;        ///< samples of observers and refused packets; data time
  std::optional<int> packet_days;              ///< by the wall clock
  std::optional<int> capability_age_out_days;  ///< until a status without new proof is forgotten; data time
  int feed_days = 7;                           ///< of change_log, and at most feed_rows of them
  std::int64_t feed_rows = 100'000;
  std::optional<int> history_days = 30;  ///< of states as of a commit; by the wall clock
  int history_commits = 200;             ///< of the capability stream that can be asked for, however old
  int ledger_days = 30;
  int vacuum_pages = 1024;  ///< freed at a time
};

/// Each function is a step of a maintenance task: it deletes or moves at most some thousand rows in one
/// transaction, so that the ingest waits for no more than some 50 ms, and says whether there is more.
/// REQUIRED: no transaction is open, and `wall_clock` is the present time.
StepOutcome RetireNodes(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
StepOutcome RetireObservers(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
StepOutcome PruneSamples(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
StepOutcome PruneDropped(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
/// Deletes transmissions that nobody heard since the cutoff, with their observations. Their ids never come
/// back.
StepOutcome PrunePackets(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock,
                         std::int64_t& cursor);
/// Raises the floor of the feed first and deletes below it afterwards, so that a reader never meets a gap
/// unannounced.
StepOutcome PruneFeed(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
StepOutcome PruneLedger(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);
/// Takes back the status of nodes whose newest proof is too old, as a maintenance commit that says so.
StepOutcome AgeOutCapability(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock);

}  // namespace heliograph::ingestor
