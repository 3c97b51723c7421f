#include "server/analytics/clusters/mesh_clustering.h"

#include <utility>

#include "common/time.h"
#include "server/clusters/constraint_reader.h"
#include "server/state/cluster_rows.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;

}  // namespace

PartitionParameters MeshParametersOf(const Config& config) {
  PartitionParameters parameters;
  parameters.resolution = config.clusters.resolution;
  parameters.runs = config.clusters.runs;
  parameters.min_size = config.clusters.min_size;
  return parameters;
}

MeshClustering::MeshClustering(View view, const NeighborBoard& board, queue::Publisher& publisher,
                               ReaderPool& readers, Settings settings)
    : view_(std::move(view)),
      board_(board),
      readers_(readers),
      settings_(std::move(settings)),
      stream_({queue::Kind::kClusterSnapshot, kMeshClusterStream, "cluster run", settings_.supersede_pending},
              publisher, readers) {}

StreamReport MeshClustering::Run(std::stop_token stop) {
  const auto neighbors = board_.Current();
  const auto view = view_();
  if (!neighbors || neighbors->from_database || !view)
    return PlainReport(Result::kNotComplete, "the packets have not all been read yet");
  const NeighborGraph& graph = neighbors->graph;
  stream_.Settle(graph.epoch);
  const auto now = std::chrono::steady_clock::now();
  if (last_run_ && now - *last_run_ < settings_.interval)
    return PlainReport(Result::kUnchanged, "the next run is not due");
  if (graph.edges.empty()) return PlainReport(Result::kUnchanged, "nobody is known to hear anybody yet");

  const auto [active, constraints] = readers_.Read([](ReaderConnection& connection) {
    return std::pair(ReadActiveMeshRun(connection),
                     ConstraintsAt(connection, ClusterMoment(), ClusterCollection::kMesh));
  });
  const auto run =
      ComputeMeshRun(graph, *view, settings_.parameters, active ? active->groups : FormerGroups(),
                     constraints, settings_.may_be_named, std::move(stop));
  if (!run) {
    const bool stopped = run.error().fault == PartitionError::Fault::kCancelled;
    return PlainReport(stopped ? Result::kNotComplete : Result::kFailed, run.error().text);
  }
  if (run->clusters.empty() || (active && Repeats(*run, *active))) {
    last_run_ = now;
    return PlainReport(Result::kUnchanged,
                       run->clusters.empty() ? "the run found no cluster" : "nothing changed");
  }
  StreamReport report = stream_.Offer({graph.epoch, graph.watermark, graph.head_seq},
                                      [&] { return EncodeClusterSnapshot(*run); });
  report.watermark = graph.watermark;
  // A run that could not be handed over is tried again in the next cycle.
  if (report.result == Result::kPublished || report.result == Result::kUnchanged) last_run_ = now;
  return report;
}

}  // namespace heliograph::server
