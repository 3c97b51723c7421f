#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/neighbor_snapshot.h"
#include "ingestor/store/ledger.h"
#include "ingestor/store/mesh_store.h"
#include "ingestor/store/neighbor_store.h"
#include "queue/queue_file.h"

namespace heliograph::ingestor {

/// What a neighbor-snapshot changes, and how much of it is done. The edges are figures of the present, each
/// true by itself, so that they are brought into the database piece by piece, and the writer never waits for
/// all of them; the last piece goes into the transaction that records the file. After a crash the file is
/// compared again, and only what still differs is left to do. Used by the writer's thread.
class NeighborStaging {
 public:
  /// Compares the file with what is stored. REQUIRED: the file is genuine, new, and of this database.
  NeighborStaging(std::string name, const queue::QueueFile& file, MeshStore& store);

  const std::string& name() const { return name_; }

  /// Does one more piece, in a transaction of its own of at most some 50 ms, unless what is left is the last
  /// one. Returns true when it is. REQUIRED: no transaction is open.
  bool Step(MeshStore& store);
  /// Does the last piece, and says what came of the file. REQUIRED: Step returned true; a transaction is
  /// open.
  Verdict Finish(MeshStore& store);

 private:
  using Ends = NeighborStore::Ends;

  void Compare(MeshStore& store);
  void Apply(MeshStore& store, std::size_t end);
  std::size_t size() const { return removals_.size() + puts_.size(); }

  std::string name_;
  std::optional<Verdict> refusal_;
  NeighborSnapshot snapshot_;
  std::vector<Ends> removals_;
  std::vector<std::pair<Ends, const NeighborEdge*>> puts_;  ///< into snapshot_
  std::int64_t added_ = 0, changed_ = 0, unknown_ = 0;
  std::size_t done_ = 0;  ///< removals first
};

}  // namespace heliograph::ingestor
