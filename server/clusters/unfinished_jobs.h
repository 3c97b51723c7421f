#pragma once

#include <string>
#include <vector>

#include "common/cluster_job.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A job that the database has as not finished.
struct UnfinishedJob {
  ClusterJob job;
  std::string instance;  ///< the boot id of the server that took it on
};

/// The first hundred of them. Reads in the caller's transaction; SQLite::Exception passes through.
std::vector<UnfinishedJob> UnfinishedJobs(ReaderConnection& reader);

}  // namespace heliograph::server
