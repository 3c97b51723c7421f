#pragma once

#include <map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/identity_key.h"
#include "common/neighbor_snapshot.h"

namespace heliograph::ingestor {

/// `neighbor_edges`. Used by the writer's thread, inside its transaction.
class NeighborStore {
 public:
  explicit NeighborStore(SQLite::Database& database);

  /// Nodes a and b.
  using Ends = std::pair<IdentityKey, IdentityKey>;
  /// All edges there are, but for the keys of their nodes, which are left empty.
  std::map<Ends, NeighborEdge> All();

  /// Adds the edge, or replaces what was there.
  void Put(Ends ends, const NeighborEdge& edge);
  void Remove(Ends ends);

 private:
  SQLite::Statement put_, remove_;
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
