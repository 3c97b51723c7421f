#pragma once

#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/capability_merge.h"
#include "common/identity_key.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// What a node's capability was; nothing when it had none.
using PastCapability = std::optional<CapabilityState>;

/// The intervals of `node_capability` as history. Used by the writer's thread, inside its transaction.
class CapabilityHistory {
 public:
  explicit CapabilityHistory(SQLite::Database& database);

  /// On one branch by itself, without what it inherits.
  PastCapability At(BranchId branch, IdentityKey node, CommitSeq seq);
  /// True when the branch wrote of the node itself by `seq`.
  bool Wrote(BranchId branch, IdentityKey node, CommitSeq seq);
  /// The nodes whose intervals on the branch begin or end after `seq`, ascending.
  std::vector<IdentityKey> TouchedAfter(BranchId branch, CommitSeq seq);
  /// The nodes that the commit changed, ascending.
  std::vector<IdentityKey> TouchedBy(CommitSeq commit);

 private:
  SQLite::Database& database_;
  SQLite::Statement at_, wrote_;
};

/// True when the node is active or inactive, and not removed.
bool IsNode(SQLite::Database& database, IdentityKey node);
/// A node's public key in hexadecimal, for a person.
std::string NodeText(SQLite::Database& database, IdentityKey node);

}  // namespace heliograph::ingestor
