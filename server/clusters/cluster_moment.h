#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/cluster_snapshot.h"
#include "server/history/branch_line.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Where and when a question about clusters is asked: a branch, and a commit on it.
struct ClusterMoment {
  std::int64_t branch = 1;
  std::int64_t base_seq = 0;              ///< of the branch; 0 on main
  std::optional<std::int64_t> as_of_seq;  ///< nothing: now
  /// The commit up to which rows count.
  std::int64_t last_seq() const;
};

ClusterMoment ClusterMomentOn(const BranchLine& line, std::optional<std::int64_t> as_of_seq);

/// The text of a subquery for the intervals of `table` that hold at a moment; `key` is the column that they
/// belong to. Its parameters are those of BindMoment.
std::string IntervalsAt(const std::string& table, const std::string& key);

/// Binds ?1 to ?3 of a statement with IntervalsAt.
void BindMoment(SQLite::Statement& statement, const ClusterMoment& moment);

/// The run that is the active one then, or nothing before the first.
std::optional<std::int64_t> ActiveRun(ReaderConnection& reader, const ClusterMoment& moment,
                                      ClusterCollection collection);

}  // namespace heliograph::server
