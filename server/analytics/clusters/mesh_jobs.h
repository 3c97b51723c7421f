#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/config.h"
#include "server/analytics/clusters/mesh_run.h"
#include "server/analytics/clusters/partition.h"
#include "server/analytics/neighbors/neighbor_view.h"
#include "server/clusters/job_desk.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// How the mesh is divided, and how its clusters are recognised.
struct MeshDivision {
  PartitionParameters partition;
  MatchRule rule = MatchRule::kMemory;
};

/// As the operator wants it.
MeshDivision MeshDivisionOf(const Config& config);

/// Carries out the jobs of the collection `mesh`: a run, begun from the clusters of the branch's active run,
/// or the choice of the resolution. An order may name `resolution`, `runs`, `min_size` and `match_rule`; what
/// it lacks is as configured. A run whose input is the active one's has no snapshot, and says `unchanged`.
/// Thread-safe but for Compute, which one thread at a time may call.
class MeshJobs {
 public:
  using View = std::function<std::shared_ptr<const MeshView>()>;

  /// The references outlive it. `view` may return null.
  MeshJobs(View view, const NeighborBoard& board, ReaderPool& readers, MeshDivision defaults,
           MayBeNamed may_be_named)
      : view_(std::move(view)),
        board_(board),
        readers_(readers),
        defaults_(defaults),
        may_be_named_(std::move(may_be_named)) {}

  /// True once all packets have been read and somebody is known to hear somebody.
  bool IsReady() const;

  /// Why an order can never be carried out, for whoever asks: its collection, or its parameters.
  std::optional<std::string> Objection(const ClusterJobOrder& order) const;

  /// As ComputeClusters says. Throws what ReaderPool::Read throws, and std::bad_alloc.
  tl::expected<ClusterJobResult, std::string> Compute(const ClusterJobOrder& order, JobProgress& progress,
                                                      std::stop_token stop) const;

 private:
  tl::expected<ClusterJobResult, std::string> Divide(const NeighborView& neighbors, const MeshView& view,
                                                     const MeshDivision& division, const BranchLine& line,
                                                     std::stop_token stop) const;
  tl::expected<ClusterJobResult, std::string> Choose(const NeighborView& neighbors, const MeshView& view,
                                                     const PartitionParameters& parameters,
                                                     JobProgress& progress, std::stop_token stop) const;

  const View view_;
  const NeighborBoard& board_;
  ReaderPool& readers_;
  const MeshDivision defaults_;
  const MayBeNamed may_be_named_;
};

}  // namespace heliograph::server
