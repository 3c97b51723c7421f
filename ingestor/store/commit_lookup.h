#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <tl/expected.hpp>

#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// A commit that a request names.
struct NamedCommit {
  CommitSeq seq{};
  BranchId branch{};
  std::optional<CommitSeq> parent;
  std::optional<std::string> stream;
  std::string kind;
  std::optional<std::string> ledger_id;
};

/// The commit with this id, or `seq:<n>`, whose state is still kept; otherwise what is wrong, in words for a
/// person.
tl::expected<NamedCommit, std::string> LookUpCommit(SQLite::Database& database, const std::string& name);

/// The oldest commit whose state is kept.
CommitSeq HistoryFloor(SQLite::Database& database);

/// True for a name that a branch or a pin may have: 1 to 64 of a-z, 0-9, '.', '_' and '-'.
bool IsHistoryName(std::string_view name);

}  // namespace heliograph::ingestor
