#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"
#include "ingestor/store/ledger.h"
#include "ingestor/store/mesh_store.h"
#include "queue/queue_file.h"

namespace heliograph::ingestor {

/// The books of each branch and collection, kept from run to run because they are long to read. Whoever
/// undoes a transaction that changed one forgets them.
class ClusterBooks {
 public:
  /// The book, read from the database when it is not there.
  TrackBook& Of(SQLite::Database& database, const BranchView& view, ClusterCollection collection);
  /// The book if it is there.
  TrackBook* Find(BranchId branch, ClusterCollection collection);
  void Forget() noexcept { books_.clear(); }

 private:
  std::map<std::pair<BranchId, ClusterCollection>, TrackBook> books_;
};

/// Brings a run into the database piece by piece under a row that no pointer names, so that no transaction is
/// long. What a process that died left there is swept first. Used by the writer's thread.
class ClusterStaging {
 public:
  /// Looks at the payload. REQUIRED: the file is genuine, new, and of this database.
  ClusterStaging(std::string name, const queue::QueueFile& file, MeshStore& store);

  const std::string& name() const { return name_; }
  /// The file without its payload, so that it need not be read again for each piece.
  const queue::QueueFile& file() const { return file_; }
  /// Why the run is not to be applied; nothing for one that is.
  const std::optional<Verdict>& refusal() const { return refusal_; }

  /// Does one more piece, in a transaction of its own of at most some 50 ms. Returns true when all was there
  /// before, or the run is refused. REQUIRED: no transaction is open.
  bool Step(MeshStore& store, ClusterBooks& books, const queue::Envelope& envelope);

  // REQUIRED from here on: Step returned true, and nothing is refused.
  const ClusterSnapshot& snapshot() const { return snapshot_; }
  RunKey run() const { return *run_; }
  /// The clusters by the members' integers, in the order of the snapshot.
  const ProposedRun& proposed() const { return proposed_; }
  MemberKey representative(std::size_t cluster) const { return representatives_[cluster]; }

 private:
  enum class Phase { kSweep, kResolve, kMembers, kDone };
  /// A member by its place: in the cluster `ordinal` of the snapshot, or unclustered.
  struct Place {
    const std::string* key = nullptr;
    std::optional<std::size_t> ordinal;
    int strength = 0;
    MemberKey member{};
  };

  void ListPlaces();
  void Resolve(MeshStore& store);
  void StageMembers(MeshStore& store);
  void Arrange();

  std::string name_;
  queue::QueueFile file_;
  std::optional<Verdict> refusal_;
  ClusterSnapshot snapshot_;
  Phase phase_ = Phase::kSweep;
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::optional<RunKey> run_;
  ProposedRun proposed_;
  std::vector<MemberKey> representatives_;
};

}  // namespace heliograph::ingestor
