#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/bytes.h"
#include "server/history/as_of.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// What an entity's id stands for in the database.
using EntityKey = std::variant<std::int64_t, std::string, Bytes>;

/// One kind of thing whose states are kept as intervals between commits. This row is all that commits,
/// entities, diffs and branches need to know of it: another kind is another row of EntityKinds().
struct EntityKind {
  std::string_view name;       ///< in paths, in commits and in the feed: "node"
  std::string_view table;      ///< that keeps the intervals
  std::string_view intervals;  ///< SQL: tables of the rows, with columns v.branch_id, v.from_seq and v.to_seq
  std::string_view id;         ///< SQL: the id as text
  std::string_view key;        ///< SQL: what equals an EntityKey
  std::string_view state;  ///< SQL: the versioned columns as a JSON object; NULL: none, as before the first
  /// The key that the id spells, in any case; nothing when it spells none.
  std::optional<EntityKey> (*key_of)(std::string_view id);
  /// The id as answers spell it.
  std::string (*canonical_id)(std::string_view id);
  /// The id of what has, or had, this name on the line by the commit; null for kinds without names.
  std::optional<std::string> (*id_named)(ReaderConnection& reader, const BranchLine& line, std::int64_t seq,
                                         const std::string& name) = nullptr;
  std::string_view id_form;  ///< what an id looks like, in words for a person
};

inline constexpr std::string_view kClusterEntity = "cluster";

/// In the order in which they appear in a commit's changes.
std::span<const EntityKind> EntityKinds();
/// Null when there is no kind of that name.
const EntityKind* FindEntityKind(std::string_view name);
/// "node, readiness, ...", for a person.
std::string EntityKindNames();

}  // namespace heliograph::server
