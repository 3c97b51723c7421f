#pragma once

#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// What is to be seen from a branch: its own rows, and where it has none, those that main had at its base.
struct BranchView {
  BranchId branch = kMainBranch;
  std::int64_t base_seq = 0;  ///< 0 on main

  /// Throws std::out_of_range when there is no live branch of that number.
  static BranchView Of(SQLite::Database& database, BranchId branch);
};

/// The text of a subquery for the open intervals of `table` that a branch sees; `key` is the column that its
/// intervals belong to. Its parameters are ?1, the branch, and ?2, the base.
std::string OpenIntervals(const std::string& table, const std::string& key);

}  // namespace heliograph::ingestor
