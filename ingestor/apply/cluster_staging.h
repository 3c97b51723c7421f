#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/book_loader.h"
#include "ingestor/store/branch_view.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/ledger.h"
#include "ingestor/store/mesh_store.h"
#include "queue/queue_file.h"

namespace heliograph::ingestor {

/// The books of each branch and collection, kept from run to run because they are long to read. Whoever
/// undoes a transaction that changed one forgets them.
class ClusterBooks {
 public:
  /// Reads a piece of the book from the database unless it is there. True when it is. REQUIRED: what is
  /// written between two pieces of one book concerns no cluster.
  bool Load(SQLite::Database& database, const BranchView& view, ClusterCollection collection);
  /// The book, whatever of it has to be read first.
  TrackBook& Of(SQLite::Database& database, const BranchView& view, ClusterCollection collection);
  /// The book if it is there.
  TrackBook* Find(BranchId branch, ClusterCollection collection);
  void Forget() noexcept;
  /// Those of a branch that is gone.
  void Forget(BranchId branch) noexcept;

 private:
  using Key = std::pair<BranchId, ClusterCollection>;

  std::map<Key, TrackBook> books_;
  std::optional<std::pair<Key, BookLoader>> loading_;
};

/// A run on its way into the database: the one that a queue file holds, or a copy of an applied one. It is
/// brought there piece by piece under a row that no pointer names, so that no transaction is long. Used by
/// the writer's thread.
class ClusterStaging {
 public:
  /// The run of a cluster-snapshot, for the branch that the file names. REQUIRED: the file is genuine, new,
  /// and of this database.
  ClusterStaging(const queue::QueueFile& file, MeshStore& store);
  /// A copy for main of an applied run, which the file asks for. REQUIRED: the run's members are there.
  ClusterStaging(RunKey original, const queue::Envelope& file, MeshStore& store);
  ClusterStaging(ClusterStaging&&) = default;
  ClusterStaging& operator=(ClusterStaging&&) = default;
  ClusterStaging(const ClusterStaging&) = delete;
  ClusterStaging& operator=(const ClusterStaging&) = delete;

  /// Why the run is not to be applied; nothing for one that is.
  const std::optional<Verdict>& refusal() const { return refusal_; }
  /// True when all of it is in the database, or it is refused.
  bool IsComplete() const { return refusal_ || phase_ == Phase::kDone; }

  /// Does one more piece, in a transaction of its own of at most some 50 ms. REQUIRED: no transaction is
  /// open, and it is not complete.
  void Step(MeshStore& store, ClusterBooks& books);

  /// What the run says of itself; of a copy without the keys of its members.
  const ClusterSnapshot& snapshot() const { return snapshot_; }
  /// The applied run that it is a copy of, if it is one.
  std::optional<RunKey> original() const { return origin_.copy_of; }

  // REQUIRED from here on: it is complete, and nothing is refused.
  RunKey run() const { return *run_; }
  /// The clusters by the members' integers, in the order of the snapshot.
  const ProposedRun& proposed() const { return proposed_; }
  MemberKey representative(std::size_t cluster) const { return representatives_[cluster]; }
  /// Of a copy, by cluster: the track that it has on the branch of the original, when main has not seen that.
  const std::vector<std::optional<TrackKey>>& new_to_main() const { return new_to_main_; }
  /// Of a copy: the branch of the original.
  BranchId branch_of_original() const { return branch_of_original_; }

 private:
  enum class Phase { kBook, kPlaces, kMembers, kDone };

  void Judge(MeshStore& store, const queue::QueueFile& file);
  void ListKeys();
  void Resolve(MeshStore& store);
  void ReadOriginal(MeshStore& store);
  void Arrange();
  void StageMembers(MeshStore& store);

  RunOrigin origin_;
  std::optional<Verdict> refusal_;
  ClusterSnapshot snapshot_;
  Phase phase_ = Phase::kBook;
  std::vector<const std::string*> keys_;  ///< in snapshot_; of a copy there are none
  std::vector<PlacedMember> places_;
  std::size_t next_ = 0;
  std::optional<RunKey> run_;
  ProposedRun proposed_;
  std::vector<MemberKey> representatives_;
  std::vector<std::optional<TrackKey>> new_to_main_;
  BranchId branch_of_original_{};
};

}  // namespace heliograph::ingestor
