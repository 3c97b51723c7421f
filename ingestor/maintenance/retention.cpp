#include "ingestor/maintenance/retention.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/failpoint.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kRowsAtATime = 1000;
constexpr std::size_t kTransmissionsAtATime = 200;
constexpr std::size_t kTransmissionsLookedAt = 5000;
constexpr std::size_t kNodesAtATime = 500;
constexpr std::chrono::hours kDay{24};
// Whoever follows the feed may be away this long, however many rows there are.
constexpr std::chrono::hours kShortestFeed{1};

/// What "so many days ago" is in data time; nothing when the rule is off or there is no data.
std::optional<UtcMillis> Cutoff(const MeshStore& store, const std::optional<int>& days,
                                UtcMillis wall_clock) {
  const auto now = store.data_time(wall_clock);
  if (!days || !now) return std::nullopt;
  return *now - *days * kDay;
}

// The highest row that may go: everything below the first that is young enough, or beyond the number of rows;
// but nothing from the first row of the last hour on. A row whose time is wrong never takes younger ones with
// it.
constexpr const char* kWantedFloor = R"sql(
  WITH newest(seq) AS (SELECT coalesce(max(seq), 0) FROM change_log),
       young(seq) AS (SELECT coalesce((SELECT min(seq) - 1 FROM change_log WHERE logged_at >= ?1), newest.seq)
                      FROM newest),
       hour(seq) AS (SELECT coalesce((SELECT min(seq) - 1 FROM change_log WHERE logged_at >= ?3), newest.seq)
                     FROM newest)
  SELECT min(max(young.seq, newest.seq - ?2), hour.seq) FROM newest, young, hour)sql";

StepOutcome MoreIf(bool more) {
  return more ? StepOutcome::kMore : StepOutcome::kDone;
}

/// Runs `sql`, whose parameters are a time and a number of rows, in a transaction of its own.
StepOutcome DeleteBefore(MeshStore& store, const char* sql, UtcMillis cutoff) {
  StoreTransaction transaction(store);
  SQLite::Statement statement(store.database(), sql);
  const int deleted = RowBinder(statement).Time(cutoff).Integer(kRowsAtATime).Run();
  transaction.Commit();
  return MoreIf(deleted == static_cast<int>(kRowsAtATime));
}

/// Those of the next transmissions after `cursor`, which moves on, that were last heard before `cutoff`.
std::vector<std::int64_t> TransmissionsBefore(MeshStore& store, UtcMillis cutoff, std::int64_t& cursor) {
  SQLite::Statement rows(store.database(),
                         "SELECT id, last_seen < ? FROM transmissions WHERE id > ? ORDER BY id LIMIT ?");
  RowBinder row(rows);
  row.Time(cutoff).Integer(cursor).Integer(kTransmissionsLookedAt);
  std::vector<std::int64_t> ids;
  const std::int64_t before = cursor;
  while (ids.size() < kTransmissionsAtATime && row.Step()) {
    cursor = rows.getColumn(0).getInt64();
    if (rows.getColumn(1).getInt() != 0) ids.push_back(cursor);
  }
  if (cursor == before) cursor = 0;
  return ids;
}

void KeepIdsApart(MeshStore& store) {
  SQLite::Statement save(store.database(), "UPDATE meta SET value=? WHERE key=?");
  const auto keep = [&](const std::string& key, std::int64_t id) {
    const std::string value = std::to_string(id);
    RowBinder(save).Text(value).Text(key).Run();
  };
  keep("observation_high_water", store.packets().watermark());
  keep("transmission_high_water", store.packets().highest_transmission());
}

}  // namespace

StepOutcome RetireNodes(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  const auto cutoff = Cutoff(store, rules.node_days, wall_clock);
  if (!cutoff) return StepOutcome::kDone;
  StoreTransaction transaction(store);
  const std::size_t moved = store.nodes().Retire(*cutoff, kRowsAtATime);
  transaction.Commit();
  return MoreIf(moved == kRowsAtATime);
}

StepOutcome RetireObservers(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  const auto cutoff = Cutoff(store, rules.observer_days, wall_clock);
  if (!cutoff) return StepOutcome::kDone;
  StoreTransaction transaction(store);
  store.observers().Retire(*cutoff);
  transaction.Commit();
  return StepOutcome::kDone;
}

StepOutcome PruneSamples(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  const auto cutoff = Cutoff(store, rules.metrics_days, wall_clock);
  if (!cutoff) return StepOutcome::kDone;
  return DeleteBefore(store,
                      "DELETE FROM observer_metrics WHERE (observer_key, sampled_at) IN"
                      " (SELECT observer_key, sampled_at FROM observer_metrics WHERE sampled_at < ? LIMIT ?)",
                      *cutoff);
}

StepOutcome PruneDropped(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  const auto cutoff = Cutoff(store, rules.metrics_days, wall_clock);
  if (!cutoff) return StepOutcome::kDone;
  return DeleteBefore(store,
                      "DELETE FROM dropped_packets WHERE id IN"
                      " (SELECT id FROM dropped_packets WHERE dropped_at < ? LIMIT ?)",
                      *cutoff);
}

StepOutcome PrunePackets(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock,
                         std::int64_t& cursor) {
  if (!rules.packet_days) return StepOutcome::kDone;
  const auto ids = TransmissionsBefore(store, wall_clock - *rules.packet_days * kDay, cursor);
  if (!ids.empty()) {
    StoreTransaction transaction(store);
    KeepIdsApart(store);
    SQLite::Statement observations(store.database(), "DELETE FROM observations WHERE transmission_id=?");
    SQLite::Statement transmissions(store.database(), "DELETE FROM transmissions WHERE id=?");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i == ids.size() / 2) HELIOGRAPH_FAILPOINT(kRetentionMiddleOfBatch);
      RowBinder(observations).Integer(ids[i]).Run();
      RowBinder(transmissions).Integer(ids[i]).Run();
    }
    // What is deleted must not be known any more, whatever becomes of the transaction.
    store.packets().Forget();
    transaction.Commit();
  }
  return MoreIf(cursor != 0);
}

StepOutcome PruneFeed(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  SQLite::Database& database = store.database();
  {
    SQLite::Statement floor(database, kWantedFloor);
    RowBinder(floor)
        .Time(wall_clock - rules.feed_days * kDay)
        .Integer(rules.feed_rows)
        .Time(wall_clock - kShortestFeed)
        .Step();
    const std::string wanted = std::to_string(floor.getColumn(0).getInt64());
    floor.reset();
    StoreTransaction transaction(store);
    SQLite::Statement raise(
        database,
        "UPDATE meta SET value=?1 WHERE key='feed_floor' AND CAST(value AS INTEGER) < CAST(?1 AS INTEGER)");
    RowBinder(raise).Text(wanted).Run();
    transaction.Commit();
  }
  HELIOGRAPH_FAILPOINT(kRetentionAfterFloor);
  StoreTransaction transaction(store);
  SQLite::Statement prune(
      database,
      "DELETE FROM change_log WHERE seq IN (SELECT seq FROM change_log WHERE seq <="
      " (SELECT CAST(value AS INTEGER) FROM meta WHERE key='feed_floor') ORDER BY seq LIMIT ?)");
  const int deleted = RowBinder(prune).Integer(kRowsAtATime).Run();
  transaction.Commit();
  return MoreIf(deleted == static_cast<int>(kRowsAtATime));
}

StepOutcome PruneLedger(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  // What a commit points at stays, and so does the newest row of each stream, which holds its watermark.
  return DeleteBefore(
      store,
      "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger AS l WHERE applied_at < ? AND commit_seq IS NULL"
      " AND (watermark IS NULL OR watermark < (SELECT max(watermark) FROM ledger AS n"
      " WHERE n.branch_id IS l.branch_id AND n.stream IS l.stream AND n.outcome IN ('applied', 'noop'))) "
      "LIMIT ?)",
      wall_clock - rules.ledger_days * kDay);
}

StepOutcome AgeOutCapability(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  const auto cutoff = Cutoff(store, rules.capability_age_out_days, wall_clock);
  if (!cutoff) return StepOutcome::kDone;
  CapabilityStore capabilities(store.database());
  const auto nodes = capabilities.ProvenBefore(*cutoff, kNodesAtATime);
  if (nodes.empty()) return StepOutcome::kDone;
  StoreTransaction transaction(store);
  CommitFacts facts;
  facts.kind = "maintenance";
  facts.stream = "multibyte";
  facts.actor = "ingestor:age-out";
  facts.authored_at = wall_clock;
  facts.updated = static_cast<std::int64_t>(nodes.size());
  const CommitSeq commit = store.commits().Begin(facts, wall_clock);
  for (const IdentityKey node : nodes) {
    // The size it once used remains a fact of history; what it can do today is what nobody knows any more.
    capabilities.Change(kMainBranch, node, CapabilityState{}, commit);
    store.nodes().SetCapability(node, CapabilityStatus::kUnknown, std::nullopt);
  }
  store.commits().MoveHead(kMainBranch, commit);
  transaction.Commit();
  return MoreIf(nodes.size() == kNodesAtATime);
}

}  // namespace heliograph::ingestor
