#include "ingestor/store/identity_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {
constexpr std::size_t kCachedIdentities = 65'536;
}

IdentityStore::IdentityStore(SQLite::Database& database)
    : select_(database, "SELECT key FROM identity WHERE public_key=?"),
      insert_(database, "INSERT INTO identity(public_key) VALUES (?)"),
      database_(database),
      cache_(kCachedIdentities) {}

std::optional<IdentityKey> IdentityStore::Find(const PublicKey& public_key) {
  if (const IdentityKey* known = cache_.Find(public_key)) return *known;
  RowBinder row(select_);
  std::optional<IdentityKey> key;
  if (row.Blob(public_key.bytes()).Step()) key = IdentityKey{select_.getColumn(0).getInt64()};
  select_.tryReset();
  if (key) cache_.Insert(public_key, *key);
  return key;
}

IdentityKey IdentityStore::KeyOf(const PublicKey& public_key) {
  if (const auto known = Find(public_key)) return *known;
  RowBinder(insert_).Blob(public_key.bytes()).Run();
  return cache_.Insert(public_key, IdentityKey{database_.getLastInsertRowid()});
}

}  // namespace heliograph::ingestor
