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

/// The text of a subquery for the intervals of `table` that hold at the moment; `key` is the column that they
/// belong to. Its parameters are those of BindMoment. `open_index`, when it is given, is the index over open
/// intervals that the present is read by: without it, a question that names no key reads all of history.
std::string IntervalsAt(const std::string& table, const std::string& key, const ClusterMoment& moment,
                        const std::string& open_index = {});

/// The text of an expression for `column` of the interval of `table` whose `key` is `owner` and that holds at
/// a moment; NULL when there is none. It reads one or two rows. Its parameters are those of BindMoment.
/// REQUIRED: `column` is never NULL in the table.
std::string ValueAt(const std::string& table, const std::string& key, const std::string& owner,
                    const std::string& column);

/// Binds ?1 to ?3 of a statement with IntervalsAt.
void BindMoment(SQLite::Statement& statement, const ClusterMoment& moment);

/// The run that is the active one then, or nothing before the first.
std::optional<std::int64_t> ActiveRun(ReaderConnection& reader, const ClusterMoment& moment,
                                      ClusterCollection collection);

}  // namespace heliograph::server
