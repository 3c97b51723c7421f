#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/time.h"

namespace heliograph::ingestor {

/// The number of a commit, unique over all branches. Numbers only grow.
enum class CommitSeq : std::int64_t {};

/// Which line of history something belongs to. 1 is main.
enum class BranchId : std::int64_t {};
inline constexpr BranchId kMainBranch{1};

/// What a commit records. The names of kinds: snapshot, merge, revert, edit, maintenance.
struct CommitFacts {
  BranchId branch = kMainBranch;
  std::string kind;
  std::optional<std::string> stream;
  std::string actor;
  UtcMillis authored_at{};
  std::optional<std::string> ledger_id;
  std::optional<std::int64_t> watermark;
  std::optional<std::string> digest;
  std::int64_t inserted = 0, updated = 0, removed = 0;
  std::optional<CommitSeq> merged_parent = std::nullopt;  ///< of a merge: the head of the branch that came in
};

/// The head of a branch moved between the beginning and the end of a commit: a second writer, or a mistake.
class HeadMoved : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The history of conclusions. A commit is Begin, then the rows that carry its number, then MoveHead, all in
/// one transaction of the writer's.
class CommitLog {
 public:
  explicit CommitLog(SQLite::Database& database);

  /// Adds the commit after the head of its branch, at a time that is later than the head's whatever the clock
  /// says.
  CommitSeq Begin(const CommitFacts& facts, UtcMillis now);

  /// Makes the commit the head of its branch, which also closes its block in the feed. Throws HeadMoved when
  /// the head is no longer the one that Begin saw.
  void MoveHead(BranchId branch, CommitSeq commit);

  /// Throws std::out_of_range when there is no live branch of that number.
  CommitSeq Head(BranchId branch);

  /// The newest commit of any branch.
  CommitSeq Newest();

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
