#include "server/clusters/unfinished_jobs.h"

#include <utility>

#include "server/state/row_values.h"

namespace heliograph::server {

std::vector<UnfinishedJob> UnfinishedJobs(ReaderConnection& reader) {
  SQLite::Statement& rows = reader.Prepared(
      "SELECT job_id, collection, kind, state, trigger_kind, requested_by, parameters, requested_at, "
      "started_at, statistics, branch_id, instance FROM cluster_jobs WHERE finished_at IS NULL LIMIT 100");
  std::vector<UnfinishedJob> found;
  while (rows.executeStep()) {
    const auto id = Ulid::Parse(rows.getColumn(0).getString());
    const auto collection = ParseClusterCollection(rows.getColumn(1).getString());
    const auto kind = ParseClusterJobKind(rows.getColumn(2).getString());
    const auto state = ParseClusterJobState(rows.getColumn(3).getString());
    const auto trigger = ParseClusterJobTrigger(rows.getColumn(4).getString());
    if (!id || !collection || !kind || !state || !trigger) continue;
    ClusterJob job;
    job.id = *id;
    job.collection = *collection;
    job.kind = *kind;
    job.state = *state;
    job.trigger = *trigger;
    job.requested_by = rows.getColumn(5).getString();
    job.parameters = rows.getColumn(6).getString();
    job.requested_at = TimeOf(rows.getColumn(7));
    job.started_at = OptionalTimeOf(rows.getColumn(8));
    job.statistics = rows.getColumn(9).getString();
    job.branch = rows.getColumn(10).getInt64();
    found.push_back({std::move(job), rows.getColumn(11).getString()});
  }
  return found;
}

}  // namespace heliograph::server
