#pragma once

#include <map>
#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/switch_readiness.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// The intervals of `switch_readiness`. Used by the writer's thread, inside its transaction.
class ReadinessStore {
 public:
  explicit ReadinessStore(SQLite::Database& database);

  /// The scopes whose interval is open; those whose figures cannot be read are left out, and so written anew.
  SwitchReadiness Now(BranchId branch);

  /// The same as a branch sees it: what it wrote itself, and of other regions what main had at `base`.
  SwitchReadiness Seen(BranchId branch, CommitSeq base);

  /// Closes the region's open interval, if there is one, and opens the next. Nothing for the figures: the
  /// region is no longer told apart.
  void Change(BranchId branch, const std::string& region, const std::optional<std::string>& figures,
              CommitSeq commit);

 private:
  static SwitchReadiness Read(SQLite::Statement& rows);

  SQLite::Statement now_, seen_, close_, open_;
};

/// What differs between the stored figures and those that a snapshot brings: the new figures of each region,
/// or nothing for one that is gone.
std::map<std::string, std::optional<std::string>> ChangedFigures(const SwitchReadiness& stored,
                                                                 const SwitchReadiness& said);

}  // namespace heliograph::ingestor
