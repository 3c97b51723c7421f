#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/identity_key.h"
#include "common/public_key.h"
#include "ingestor/store/recent_map.h"

namespace heliograph::ingestor {

/// The dictionary of public keys. Used by the writer's thread, inside its transaction.
class IdentityStore {
 public:
  explicit IdentityStore(SQLite::Database& database);

  /// The integer of this key, made when it is new.
  IdentityKey KeyOf(const PublicKey& public_key);
  /// The integer of this key, or nothing when it was never met.
  std::optional<IdentityKey> Find(const PublicKey& public_key);
  /// Forgets what a transaction that was rolled back may have made.
  void Forget() noexcept { cache_.Clear(); }

 private:
  SQLite::Statement select_;
  SQLite::Statement insert_;
  SQLite::Database& database_;
  RecentMap<PublicKey, IdentityKey> cache_;
};

}  // namespace heliograph::ingestor
