#include "ingestor/maintenance/cluster_retention.h"

#include <optional>
#include <set>
#include <string>

#include "common/failpoint.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kRowsAtATime = 5000;
constexpr std::size_t kJobsKept = 1000;
constexpr std::chrono::hours kDay{24};
constexpr std::chrono::hours kMonth{30 * 24};

std::set<std::int64_t> Numbers(SQLite::Database& database, const std::string& query) {
  std::set<std::int64_t> numbers;
  SQLite::Statement rows(database, query);
  while (rows.executeStep())
    if (!rows.getColumn(0).isNull()) numbers.insert(rows.getColumn(0).getInt64());
  return numbers;
}

std::set<std::int64_t> RunsInUse(SQLite::Database& database) {
  std::set<std::int64_t> used =
      Numbers(database,
              "SELECT active_run FROM cluster_state UNION SELECT previous_run FROM cluster_state"
              " UNION SELECT d.run_id FROM cluster_merge_decisions AS d JOIN cluster_decision_states AS s "
              "USING(decision_id)"
              " WHERE s.to_seq IS NULL AND s.state='tentative'"
              " UNION SELECT (SELECT r.run_id FROM cluster_runs AS r WHERE r.branch_id=1 AND "
              "r.collection=c.collection AND"
              " r.commit_seq<=b.base_seq ORDER BY r.commit_seq DESC LIMIT 1) FROM branch AS b, (SELECT "
              "DISTINCT collection"
              " FROM cluster_runs) AS c WHERE b.branch_id<>1 AND b.state='live'");
  used.merge(
      Numbers(database,
              "SELECT run_id FROM (SELECT c.run_id, row_number() OVER (PARTITION BY c.track_key ORDER BY"
              " c.run_id DESC) AS n FROM cluster_snapshots AS c WHERE c.track_key IN (SELECT track_key FROM"
              " cluster_track_states WHERE to_seq IS NULL AND (status IN ('active', 'dormant', 'closed') OR"
              " merged_by_hand))) WHERE n<=" +
                  std::to_string(kRememberedSnapshots)));
  return used;
}

/// The newest applied run that nothing needs and that is not the newest of its hour or day.
std::optional<std::int64_t> RunToPrune(SQLite::Database& database, UtcMillis wall_clock) {
  const auto used = RunsInUse(database);
  SQLite::Statement rows(
      database,
      "SELECT run_id, branch_id, collection, computed_at FROM cluster_runs WHERE commit_seq IS NOT"
      " NULL AND pruned_at IS NULL ORDER BY commit_seq DESC");
  std::set<std::string> taken;
  while (rows.executeStep()) {
    const std::int64_t run = rows.getColumn(0).getInt64();
    const UtcMillis computed = TimeColumn(rows.getColumn(3));
    const auto age = wall_clock - computed;
    const auto slot = age <= kDay ? std::chrono::hours(1) : kDay;
    const std::string place = rows.getColumn(1).getString() + "/" + rows.getColumn(2).getString() + "/" +
                              std::to_string(slot.count()) + "/" +
                              std::to_string(computed.time_since_epoch() / slot);
    const bool newest_of_its_slot = taken.insert(place).second && age <= kMonth;
    if (!newest_of_its_slot && !used.contains(run)) return run;
  }
  return std::nullopt;
}

/// Deletes some rows of runs that are marked. True when there were any.
bool DeletePruned(MeshStore& store) {
  SQLite::Statement marked(
      store.database(),
      "SELECT run_id FROM cluster_runs AS r WHERE pruned_at IS NOT NULL AND (EXISTS (SELECT 1 FROM"
      " cluster_members AS m WHERE m.run_id=r.run_id) OR EXISTS (SELECT 1 FROM cluster_snapshots"
      " AS c WHERE c.run_id=r.run_id)) LIMIT 1");
  if (!marked.executeStep()) return false;
  const std::int64_t run = marked.getColumn(0).getInt64();
  marked.reset();
  StoreTransaction transaction(store);
  SQLite::Statement members(
      store.database(),
      "DELETE FROM cluster_members WHERE run_id=?1 AND member_key IN (SELECT member_key FROM"
      " cluster_members WHERE run_id=?1 LIMIT ?2)");
  const auto limit = static_cast<std::int64_t>(kRowsAtATime);
  if (RowBinder(members).Integer(run).Integer(limit).Run() == 0) {
    SQLite::Statement clusters(store.database(), "DELETE FROM cluster_snapshots WHERE run_id=?");
    RowBinder(clusters).Integer(run).Run();
  }
  HELIOGRAPH_FAILPOINT(kRetentionMiddleOfBatch);
  transaction.Commit();
  return true;
}

}  // namespace

StepOutcome PruneClusterRuns(MeshStore& store, UtcMillis wall_clock) {
  {
    StoreTransaction transaction(store);
    const bool swept = ClusterRunStore(store.database()).SweepStaged(kRowsAtATime);
    transaction.Commit();
    if (swept) return StepOutcome::kMore;
  }
  if (DeletePruned(store)) return StepOutcome::kMore;
  const auto run = RunToPrune(store.database(), wall_clock);
  if (!run) return StepOutcome::kDone;
  StoreTransaction transaction(store);
  SQLite::Statement mark(store.database(), "UPDATE cluster_runs SET pruned_at=? WHERE run_id=?");
  RowBinder(mark).Time(wall_clock).Integer(*run).Run();
  transaction.Commit();
  return StepOutcome::kMore;
}

StepOutcome PruneClusterJobs(MeshStore& store, UtcMillis wall_clock) {
  StoreTransaction transaction(store);
  SQLite::Statement prune(
      store.database(),
      "DELETE FROM cluster_jobs WHERE finished_at < ?1 AND job_id NOT IN (SELECT job_id FROM"
      " cluster_jobs ORDER BY requested_at DESC LIMIT ?2)");
  RowBinder(prune).Time(wall_clock - kMonth).Integer(static_cast<std::int64_t>(kJobsKept)).Run();
  transaction.Commit();
  return StepOutcome::kDone;
}

}  // namespace heliograph::ingestor
