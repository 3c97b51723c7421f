#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"

namespace heliograph::ingestor {

/// Reads the book of a branch and collection from the database, one run after the other, so that the writer
/// never waits for more than one run's members. REQUIRED: no run of the branch or of main is applied or
/// pruned meanwhile. Used by the writer's thread.
class BookLoader {
 public:
  BookLoader(SQLite::Database& database, const BranchView& view, ClusterCollection collection);

  /// Reads one run more. True when the book is whole.
  bool Step();
  /// REQUIRED: Step returned true. To be called once.
  TrackBook Take() { return std::move(book_); }

 private:
  /// The clusters of a run that tracks are remembered by.
  struct Wanted {
    RunKey run{};
    std::size_t age = 0;
    std::vector<std::pair<std::size_t, TrackKey>> clusters;  ///< ordinal and track
  };

  void Restore(const Wanted& wanted);
  /// Lets merges that people took back no longer tell in the book.
  void TakeApart();

  SQLite::Database& database_;
  const BranchView view_;
  const ClusterCollection collection_;
  TrackBook book_;
  std::vector<Wanted> wanted_;           ///< the oldest first
  std::map<RunKey, CommitSeq> commits_;  ///< of the applied runs
};

/// The runs whose clusters or members a BookLoader reads.
std::set<RunKey> RunsOfBook(SQLite::Database& database, const BranchView& view, ClusterCollection collection);

}  // namespace heliograph::ingestor
