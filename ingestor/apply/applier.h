#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ingestor/prepared.h"
#include "ingestor/store/ledger.h"
#include "ingestor/store/mesh_store.h"
#include "queue/queue_file.h"

namespace heliograph::ingestor {

class ClusterBooks;
class NeighborStaging;
class StagedFile;

/// What an applier may use. All of it outlives the call.
struct ApplyContext {
  MeshStore& store;
  UtcMillis now;
  /// Evidence older than this many days of data time says nothing any more; nothing: evidence does not age.
  std::optional<int> capability_age_out_days;
  /// Decodes and verifies one message, as for any source.
  const std::function<Prepared(const Receipt&)>& prepare;
  ClusterBooks* books = nullptr;         ///< REQUIRED of what concerns clusters
  StagedFile* staged = nullptr;          ///< REQUIRED of what MayBringRuns: with nothing left to do
  NeighborStaging* neighbors = nullptr;  ///< REQUIRED of a neighbor-snapshot: with one piece left to do
};

/// Each applier carries out one kind of queue file inside the transaction that also records its outcome. The
/// file is genuine, new, and of this database. A payload that makes no sense gives kRejected with the reason
/// and leaves no trace; an error of the database is thrown, and the file is tried again.
Verdict ApplyMultibyteSnapshot(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyNeighborSnapshot(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyPacketInject(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyPruneRequest(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyClusterSnapshot(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyClusterJob(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyOverride(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyBranchRequest(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyPin(const ApplyContext& context, const queue::QueueFile& file);
Verdict ApplyRevert(const ApplyContext& context, const queue::QueueFile& file);

}  // namespace heliograph::ingestor
