#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/history/as_of.h"
#include "server/history/entity_kind.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// What a branch has not written itself it sees as main had it at the branch's base. All functions read in
/// the caller's transaction; SQLite::Exception passes through.

/// How long one state of an entity held on a line of history.
struct EntityInterval {
  std::int64_t from_seq = 0;
  std::string from_commit;
  UtcMillis from_time{};
  std::optional<std::int64_t> to_seq;  ///< nothing: it holds still
  std::optional<std::string> to_commit;
  std::optional<UtcMillis> to_time;
  std::string state;  ///< a JSON object
};

/// The state as of `seq`, as a JSON object; nothing when there was none.
std::optional<std::string> StateAt(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key,
                                   const BranchLine& line, std::int64_t seq);

/// True when the history, as far as it is kept, has any state of the entity on the line.
bool IsKnown(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key, const BranchLine& line);

/// The intervals that begin above `after`, oldest first, at most `limit`.
std::vector<EntityInterval> IntervalsOf(ReaderConnection& reader, const EntityKind& kind,
                                        const EntityKey& key, const BranchLine& line, std::int64_t after,
                                        std::size_t limit);

/// What became of one entity. One of the two states is there at least.
struct EntityChange {
  const EntityKind* kind = nullptr;
  std::string id;
  std::optional<std::string> before, after;  ///< JSON objects
};

/// Where a list of changes goes on: after this entity.
struct ChangeCursor {
  std::string kind, id;
};

/// What the commit `seq` of the line's branch changed, in the order of kinds and ids, at most `limit` after
/// `cursor`. REQUIRED: the commit lies above the floor of history.
std::vector<EntityChange> ChangesOf(ReaderConnection& reader, const BranchLine& line, std::int64_t seq,
                                    const std::optional<ChangeCursor>& cursor, std::size_t limit);

}  // namespace heliograph::server
