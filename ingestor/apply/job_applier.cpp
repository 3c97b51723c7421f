#include "common/cluster_job.h"
#include "ingestor/apply/applier.h"
#include "ingestor/store/cluster_job_store.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

/// Whether there is, or was, a branch of that number: a job may outlive its branch.
bool WasEver(SQLite::Database& database, std::int64_t branch) {
  SQLite::Statement row(database, "SELECT 1 FROM branch WHERE branch_id=?");
  return RowBinder(row).Integer(branch).Step();
}

}  // namespace

Verdict ApplyClusterJob(const ApplyContext& context, const queue::QueueFile& file) {
  const auto job = DecodeClusterJob(file.payload);
  if (!job) return Verdict::Of(Outcome::kRejected, job.error());
  ClusterJobStore jobs(context.store.database());
  const std::string name = "job " + job->id.ToText();
  if (!WasEver(context.store.database(), job->branch))
    return Verdict::Of(Outcome::kRejected,
                       name + " runs on branch " + std::to_string(job->branch) + ", which there never was");
  if (!jobs.Put(*job, file.envelope.instance))
    return Verdict::Of(Outcome::kNoop, name + " is finished already, and stays as it is");
  return Verdict::Of(Outcome::kDone, name + " is " + std::string(Name(job->state)));
}

}  // namespace heliograph::ingestor
