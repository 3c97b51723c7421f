#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster_override.h"
#include "common/cluster_snapshot.h"
#include "common/multibyte_snapshot.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/staged_file.h"
#include "ingestor/store/mesh_store.h"
#include "server/state/reader_pool.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::testing {

/// The key whose every byte is `fill`.
PublicKey NodeOf(std::uint8_t fill);

CapabilityEntry Said(std::uint8_t node, CapabilityStatus status, std::optional<CapabilityEvidence> evidence,
                     double probability = 1.0);

/// A run that puts these nodes into clusters, each with a label of its own, and of the others of `nodes`
/// those from 1 on into none. In the collection items the members are called "item-1" and so on.
ClusterSnapshot Grouped(const std::vector<std::vector<int>>& clusters, int nodes,
                        ClusterCollection collection = ClusterCollection::kMesh);

/// A database with nodes 1 to `nodes`, the appliers that write its history, and a reader of it. What is
/// applied is recorded in the ledger as the queue does, in a transaction of its own.
class AppliedHistory {
 public:
  explicit AppliedHistory(int nodes);

  ingestor::Verdict Snapshot(std::vector<CapabilityEntry> entries, std::int64_t branch = 1);
  ingestor::Verdict Clusters(ClusterSnapshot snapshot, std::int64_t branch = 1);
  ingestor::Verdict Correct(const ClusterOverride& request, std::int64_t branch = 1);
  ingestor::Verdict Branch(const std::string& json);
  ingestor::Verdict Pin(const std::string& json);
  ingestor::Verdict Revert(const std::string& commit);

  ingestor::MeshStore& store() { return *store_; }
  /// Another process: what the appliers remember is gone.
  void Restart() { books_.Forget(); }
  std::int64_t Ask(const std::string& sql) { return store_->database().execAndGet(sql).getInt64(); }
  void Run(const std::string& sql) { store_->database().exec(sql); }
  std::int64_t head() { return Ask("SELECT head_seq FROM branch WHERE branch_id = 1"); }
  UtcMillis now() const { return now_; }
  /// Moves the clock on.
  void Wait(std::chrono::milliseconds time) { now_ += time; }
  std::vector<std::string> BrokenRules();
  /// So that the database can be damaged.
  void TakeGuardsAway();

  /// Runs `body` in a read transaction of a reader as the server has it.
  template <typename Body>
  auto Read(Body&& body) {
    const server::ReadTransaction moment(*reader_, std::chrono::seconds(10));
    return body(*reader_);
  }

 private:
  ingestor::Verdict Apply(queue::Kind kind, const std::string& stream, const std::string& payload,
                          std::int64_t branch,
                          ingestor::Verdict (*applier)(const ingestor::ApplyContext&,
                                                       const queue::QueueFile&));

  TemporaryFolder folder_;
  std::unique_ptr<ingestor::MeshStore> store_;
  ingestor::ClusterBooks books_;
  std::unique_ptr<server::ReaderConnection> reader_;
  UtcMillis now_{std::chrono::milliseconds(1'780'000'000'000)};
  std::int64_t producer_seq_ = 0;
};

}  // namespace heliograph::testing
