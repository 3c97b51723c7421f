#include "ingestor/maintenance/history_retention.h"

#include <string>

#include "common/failpoint.h"
#include "ingestor/store/interval_table.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::int64_t kRowsAtATime = 1000;
constexpr std::int64_t kMicrosPerMilli = 1000;
constexpr std::chrono::hours kDay{24};

// The head is always kept, so that the present is a moment of history like any other. Before main's first
// commit there was nothing, which costs nothing to keep. Only commits of the stream whose states are
// forgotten below the floor are counted: a stream of few commits, as people's corrections are, would hold it
// for ever. Every part is a few steps in an index, for the writer waits meanwhile.
constexpr const char* kWantedFloor = R"sql(
  WITH
    newest(seq) AS (SELECT coalesce((SELECT commit_seq FROM commit_log WHERE branch_id = 1 AND stream = ?3
                                     ORDER BY commit_seq DESC LIMIT 1 OFFSET ?2 - 1),
                                    (SELECT min(commit_seq) FROM commit_log WHERE branch_id = 1 AND stream = ?3))),
    young(seq) AS (SELECT (SELECT commit_seq FROM commit_log WHERE branch_id = 1 AND committed_us >= ?1
                           ORDER BY committed_us LIMIT 1))
  SELECT min(coalesce(young.seq, head_seq), coalesce(newest.seq, head_seq), head_seq,
             coalesce((SELECT min(base_seq) FROM branch WHERE state='live'), head_seq),
             coalesce((SELECT min(commit_seq) FROM pin), head_seq)),
         (SELECT commit_seq FROM commit_log WHERE branch_id = 1 AND committed_us > 0 ORDER BY committed_us LIMIT 1),
         (SELECT min(commit_seq) FROM commit_log)
  FROM branch, young, newest WHERE branch_id = 1)sql";

std::string Batch(const IntervalTable& table, const std::string& condition) {
  const std::string key(table.key), name(table.name);
  return "DELETE FROM " + name + " WHERE (" + key + ") IN (SELECT " + key + " FROM " + name + " WHERE " +
         condition + " LIMIT " + std::to_string(kRowsAtATime) + ")";
}

void ForgetExpiredPins(MeshStore& store, UtcMillis wall_clock) {
  SQLite::Statement forget(store.database(), "DELETE FROM pin WHERE expires_at <= ?");
  RowBinder(forget).Time(wall_clock).Run();
}

void RaiseFloor(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  StoreTransaction transaction(store);
  ForgetExpiredPins(store, wall_clock);
  const std::string wanted =
      std::to_string(static_cast<std::int64_t>(WantedHistoryFloor(store, rules, wall_clock)));
  SQLite::Statement raise(
      store.database(),
      "UPDATE meta SET value=?1 WHERE key='history_floor' AND CAST(value AS INTEGER) < CAST(?1 AS INTEGER)");
  RowBinder(raise).Text(wanted).Run();
  transaction.Commit();
}

/// Deletes a batch; false when there was nothing to delete.
bool DeleteBatch(MeshStore& store, const IntervalTable& table) {
  StoreTransaction transaction(store);
  int deleted = 0;
  if (!table.outlives_floor) {
    SQLite::Statement closed(
        store.database(),
        Batch(table, "to_seq <= (SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')"));
    deleted = closed.exec();
  }
  HELIOGRAPH_FAILPOINT(kRetentionMiddleOfBatch);
  if (deleted == 0) {
    SQLite::Statement abandoned(
        store.database(), Batch(table, "branch_id IN (SELECT branch_id FROM branch WHERE state='deleted')"));
    deleted = abandoned.exec();
  }
  transaction.Commit();
  return deleted > 0;
}

}  // namespace

CommitSeq WantedHistoryFloor(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  // Without a limit of age everything is young.
  const auto cutoff = rules.history_days ? wall_clock - *rules.history_days * kDay : UtcMillis{};
  SQLite::Statement row(store.database(), kWantedFloor);
  RowBinder(row)
      .Integer(cutoff.time_since_epoch().count() * kMicrosPerMilli)
      .Integer(rules.history_commits)
      .Text(std::string(kStreamBelowFloor))
      .Step();
  const std::int64_t wanted = row.getColumn(0).getInt64();
  const std::int64_t first = row.getColumn(1).getInt64();
  return CommitSeq{wanted == first ? row.getColumn(2).getInt64() : wanted};
}

StepOutcome PruneHistory(MeshStore& store, const RetentionRules& rules, UtcMillis wall_clock) {
  RaiseFloor(store, rules, wall_clock);
  HELIOGRAPH_FAILPOINT(kRetentionAfterFloor);
  for (const IntervalTable& table : IntervalTables()) {
    if (DeleteBatch(store, table)) return StepOutcome::kMore;
  }
  return StepOutcome::kDone;
}

}  // namespace heliograph::ingestor
