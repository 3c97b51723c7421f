#include "ingestor/store/cluster_job_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

bool ClusterJobStore::Put(const ClusterJob& job, const std::string& instance) {
  SQLite::Statement put(
      database_,
      "INSERT INTO cluster_jobs(job_id, branch_id, collection, kind, state, trigger_kind, instance, "
      "requested_by,"
      " parameters, requested_at, started_at, finished_at, statistics, error) VALUES "
      "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
      " ON CONFLICT DO UPDATE SET state=excluded.state, started_at=excluded.started_at,"
      " finished_at=excluded.finished_at, statistics=json_patch(statistics, excluded.statistics),"
      " error=excluded.error WHERE finished_at IS NULL");
  const std::string id = job.id.ToText(), collection(Name(job.collection)), kind(Name(job.kind)),
                    state(Name(job.state)), trigger(Name(job.trigger));
  const std::optional<std::string> error = job.error.empty() ? std::nullopt : std::optional(job.error);
  return RowBinder(put)
             .Text(id)
             .Integer(job.branch)
             .Text(collection)
             .Text(kind)
             .Text(state)
             .Text(trigger)
             .Text(instance)
             .Text(job.requested_by)
             .Text(job.parameters)
             .Time(job.requested_at)
             .Time(job.started_at)
             .Time(job.finished_at)
             .Text(job.statistics)
             .Text(error)
             .Run() > 0;
}

void ClusterJobStore::Succeed(const std::string& job, std::optional<RunKey> run,
                              const std::string& statistics, UtcMillis now) {
  SQLite::Statement end(database_,
                        "UPDATE cluster_jobs SET state='succeeded', started_at=coalesce(started_at, ?1),"
                        " finished_at=?1, run_id=?2, statistics=json_patch(statistics, ?3)"
                        " WHERE job_id=?4 AND finished_at IS NULL");
  std::optional<std::int64_t> number;
  if (run) number = static_cast<std::int64_t>(*run);
  RowBinder(end).Time(now).Integer(number).Text(statistics).Text(job).Run();
}

void ClusterJobStore::Fail(const std::string& job, const std::string& error, UtcMillis now) {
  SQLite::Statement end(database_,
                        "UPDATE cluster_jobs SET state='failed', finished_at=?, error=? WHERE job_id=? AND "
                        "finished_at IS NULL");
  RowBinder(end).Time(now).Text(error).Text(job).Run();
}

}  // namespace heliograph::ingestor
