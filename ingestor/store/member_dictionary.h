#pragma once

#include <optional>
#include <string>

#include "common/cluster_snapshot.h"
#include "ingestor/clusters/lineage.h"
#include "ingestor/store/identity_store.h"

namespace heliograph::ingestor {

/// The integers of the members of both collections: of nodes those of `identity`, of items those of
/// `item_identity`. Used by the writer's thread, inside its transaction.
class MemberDictionary {
 public:
  MemberDictionary(SQLite::Database& database, IdentityStore& identities);

  /// Nothing for a node that was never met, or for what is no public key. An item that was never met gets its
  /// integer.
  std::optional<MemberKey> KeyOf(ClusterCollection collection, const std::string& key);
  /// Nothing for an item that was never met, too.
  std::optional<MemberKey> Find(ClusterCollection collection, const std::string& key);

 private:
  IdentityStore& identities_;
  SQLite::Statement find_item_, add_item_;
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
