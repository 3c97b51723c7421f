#include "ingestor/maintenance/cluster_retention.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/failpoint.h"
#include "ingestor/store/book_loader.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kRowsAtATime = 5000;
constexpr std::size_t kJobsKept = 1000;
constexpr std::chrono::hours kDay{24};
constexpr std::chrono::hours kMonth{30 * 24};

constexpr const char* kNamedRuns = R"sql(
  SELECT active_run FROM cluster_state UNION SELECT previous_run FROM cluster_state
  UNION
  SELECT d.run_id FROM cluster_decision_states AS s JOIN cluster_merge_decisions AS d USING(decision_id)
  WHERE s.to_seq IS NULL AND s.state = 'tentative')sql";

// The run that was active at a commit, of the commit's branch or of main at its base. Parameters: the commit,
// and the collection.
constexpr const char* kActiveAtCommit = R"sql(
  SELECT coalesce((SELECT r.run_id FROM cluster_runs AS r WHERE r.branch_id = c.branch_id AND r.collection = ?2
                   AND r.commit_seq <= c.commit_seq ORDER BY r.commit_seq DESC LIMIT 1),
                  (SELECT r.run_id FROM cluster_runs AS r WHERE r.branch_id = 1 AND r.collection = ?2
                   AND r.commit_seq <= b.base_seq ORDER BY r.commit_seq DESC LIMIT 1))
  FROM commit_log AS c JOIN branch AS b USING(branch_id) WHERE c.commit_seq = ?1)sql";

std::vector<std::int64_t> Numbers(SQLite::Database& database, const char* query) {
  std::vector<std::int64_t> numbers;
  SQLite::Statement rows(database, query);
  while (rows.executeStep())
    if (!rows.getColumn(0).isNull()) numbers.push_back(rows.getColumn(0).getInt64());
  return numbers;
}

std::set<std::int64_t> RunsInUse(SQLite::Database& database) {
  const auto named = Numbers(database, kNamedRuns);
  std::set<std::int64_t> used(named.begin(), named.end());
  const auto branches = Numbers(database, "SELECT branch_id FROM branch WHERE state='live'");
  const auto commits =
      Numbers(database, "SELECT base_seq FROM branch WHERE state='live' UNION SELECT commit_seq FROM pin");
  SQLite::Statement active(database, kActiveAtCommit);
  for (const ClusterCollection collection : {ClusterCollection::kMesh, ClusterCollection::kItems}) {
    const std::string name(Name(collection));
    for (const std::int64_t commit : commits) {
      if (RowBinder(active).Integer(commit).Text(name).Step() && !active.getColumn(0).isNull())
        used.insert(active.getColumn(0).getInt64());
    }
    for (const std::int64_t branch : branches) {
      for (const RunKey run : RunsOfBook(database, BranchView::Of(database, BranchId{branch}), collection))
        used.insert(static_cast<std::int64_t>(run));
    }
  }
  return used;
}

/// The newest applied run that nothing needs and that is not the newest of its hour or day.
std::optional<std::int64_t> RunToPrune(SQLite::Database& database, UtcMillis wall_clock) {
  SQLite::Statement abandoned(
      database,
      "SELECT run_id FROM cluster_runs JOIN branch USING(branch_id) WHERE commit_seq IS"
      " NOT NULL AND pruned_at IS NULL AND branch.state='deleted' LIMIT 1");
  if (abandoned.executeStep()) return abandoned.getColumn(0).getInt64();
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

/// Takes away what is live only, and what would keep runs of a branch that is gone. True when there was any.
bool ForgetDeletedBranches(MeshStore& store) {
  StoreTransaction transaction(store);
  int deleted = 0;
  for (const char* table : {"cluster_state", "cluster_override_counters"}) {
    SQLite::Statement forget(store.database(), std::string("DELETE FROM ") + table +
                                                   " WHERE branch_id IN (SELECT branch_id FROM branch WHERE"
                                                   " state='deleted')");
    deleted += forget.exec();
  }
  transaction.Commit();
  return deleted > 0;
}

/// A run that is marked and still has rows. Every run has clusters, and they go last; of the runs that have
/// any, which are few, the next is asked for again and again.
constexpr const char* kMarkedRun = R"sql(
  WITH RECURSIVE held(run_id) AS (
    SELECT min(run_id) FROM cluster_snapshots
    UNION ALL
    SELECT (SELECT min(run_id) FROM cluster_snapshots WHERE run_id > held.run_id) FROM held WHERE run_id IS NOT NULL)
  SELECT run_id FROM held JOIN cluster_runs USING(run_id) WHERE pruned_at IS NOT NULL LIMIT 1)sql";

/// Deletes some rows of runs that are marked. True when there were any.
bool DeletePruned(MeshStore& store) {
  SQLite::Statement marked(store.database(), kMarkedRun);
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
  if (ForgetDeletedBranches(store) || DeletePruned(store)) return StepOutcome::kMore;
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
