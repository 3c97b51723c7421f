#include "ingestor/store/member_dictionary.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

MemberDictionary::MemberDictionary(SQLite::Database& database, IdentityStore& identities)
    : identities_(identities),
      find_item_(database, "SELECT key FROM item_identity WHERE item_id=?"),
      add_item_(database, "INSERT INTO item_identity(item_id) VALUES (?)"),
      database_(database) {}

std::optional<MemberKey> MemberDictionary::Find(ClusterCollection collection, const std::string& key) {
  if (collection == ClusterCollection::kMesh) {
    const auto public_key = PublicKey::FromHex(key);
    const auto node = public_key ? identities_.Find(*public_key) : std::nullopt;
    return node ? std::optional(MemberKey{static_cast<std::int64_t>(*node)}) : std::nullopt;
  }
  std::optional<MemberKey> item;
  if (RowBinder(find_item_).Text(key).Step()) item = MemberKey{find_item_.getColumn(0).getInt64()};
  find_item_.tryReset();
  return item;
}

std::optional<MemberKey> MemberDictionary::KeyOf(ClusterCollection collection, const std::string& key) {
  const auto known = Find(collection, key);
  if (known || collection == ClusterCollection::kMesh) return known;
  RowBinder(add_item_).Text(key).Run();
  return MemberKey{database_.getLastInsertRowid()};
}

}  // namespace heliograph::ingestor
