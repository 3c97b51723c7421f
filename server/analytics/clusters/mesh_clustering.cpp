#include "server/analytics/clusters/mesh_clustering.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;

}  // namespace

MeshClustering::MeshClustering(const MeshJobs& jobs, queue::Publisher& publisher, ReaderPool& readers,
                               bool supersede_pending)
    : jobs_(jobs),
      stream_({queue::Kind::kClusterSnapshot, kMeshClusterStream, "cluster run", supersede_pending},
              publisher, readers) {}

StreamReport MeshClustering::Run(std::stop_token stop) {
  if (!jobs_.IsReady())
    return PlainReport(Result::kNotComplete,
                       "nobody is known to hear anybody yet, or not all packets are read");
  JobProgress progress;
  const auto result = jobs_.Compute(ClusterJobOrder(), progress, stop);
  if (!result)
    return PlainReport(stop.stop_requested() ? Result::kNotComplete : Result::kFailed, result.error());
  if (!result->snapshot) return PlainReport(Result::kUnchanged, "nothing changed");
  const ClusterSnapshot& run = *result->snapshot;
  if (run.clusters.empty()) return PlainReport(Result::kUnchanged, "the run found no cluster");
  stream_.Settle(result->epoch);
  StreamReport report = stream_.Offer({result->epoch, run.watermark, result->base_seq},
                                      [&] { return EncodeClusterSnapshot(run); });
  report.watermark = run.watermark;
  return report;
}

}  // namespace heliograph::server
