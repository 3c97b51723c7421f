#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "server/history/as_of.h"
#include "server/history/entity_kind.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// All functions read in the caller's transaction; SQLite::Exception passes through.

/// One row of `branch`, with the commits that its numbers stand for.
struct BranchRow {
  BranchLine line;
  std::optional<std::string> base_commit;
  std::string head_commit;
  std::string state, actor;
  UtcMillis created_at{};
  std::optional<UtcMillis> deleted_at;
  std::int64_t commits = 0;               ///< of its own
  std::optional<std::int64_t> merged_as;  ///< the commit of main that took it in last
};

/// Live branches, and with `deleted` those that are not, in the order of their creation.
std::vector<BranchRow> ReadBranches(ReaderConnection& reader, bool deleted);
/// The live branch of that name. Throws ProblemError(404).
BranchRow ReadBranch(ReaderConnection& reader, const std::string& name);

/// An entity whose state on the branch is another than main's is now.
struct BranchDifference {
  const EntityKind* kind = nullptr;
  std::string id;
  std::optional<std::string> base, main, branch;      ///< states, as JSON objects
  bool main_changed = false, branch_changed = false;  ///< since the base
};
/// Where a list of differences goes on: after this entity.
struct DifferenceCursor {
  std::string kind, id;
};
/// In the order of kinds and ids, at most `limit` after `cursor`; `kind` alone when it is not null.
std::vector<BranchDifference> DifferencesOf(ReaderConnection& reader, const BranchLine& line,
                                            const BranchLine& main, const EntityKind* kind,
                                            const std::optional<DifferenceCursor>& cursor, std::size_t limit);

}  // namespace heliograph::server
