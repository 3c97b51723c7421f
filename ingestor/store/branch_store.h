#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/time.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// A live branch beside main.
struct Branch {
  BranchId id{};
  std::string name;
  CommitSeq base{};  ///< of main; history is kept from there while the branch lives
  CommitSeq head{};  ///< its base while it has no commit of its own
};

/// What main and a branch last had in common: after the newest merge of the branch into main, or at the
/// branch's base.
struct CommonAncestor {
  CommitSeq on_main{};
  CommitSeq on_branch{};  ///< what the branch wrote up to here has been merged, or decided against
};

/// Branches, which all begin on main. A name that is used again names another branch. Used by the writer's
/// thread, inside its transaction.
class BranchStore {
 public:
  explicit BranchStore(SQLite::Database& database) : database_(database) {}

  /// Nothing for main and for a branch that is not live.
  std::optional<Branch> Find(const std::string& name);
  std::optional<Branch> Find(BranchId id);
  /// REQUIRED: no live branch has the name, and `base` is a commit of main.
  BranchId Create(const std::string& name, CommitSeq base, const std::string& actor, UtcMillis now);
  void Delete(BranchId id, UtcMillis now);
  CommonAncestor AncestorOf(const Branch& branch);

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
