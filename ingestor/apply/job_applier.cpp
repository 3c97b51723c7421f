#include "common/cluster_job.h"
#include "ingestor/apply/applier.h"
#include "ingestor/store/cluster_job_store.h"

namespace heliograph::ingestor {

Verdict ApplyClusterJob(const ApplyContext& context, const queue::QueueFile& file) {
  const auto job = DecodeClusterJob(file.payload);
  if (!job) return Verdict::Of(Outcome::kRejected, job.error());
  ClusterJobStore jobs(context.store.database());
  const std::string name = "job " + job->id.ToText();
  if (!jobs.Put(*job, BranchId{file.envelope.branch_id}, file.envelope.instance))
    return Verdict::Of(Outcome::kNoop, name + " is finished already, and stays as it is");
  return Verdict::Of(Outcome::kDone, name + " is " + std::string(Name(job->state)));
}

}  // namespace heliograph::ingestor
