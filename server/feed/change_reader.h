#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "server/feed/feed_cursor.h"
#include "server/http/request.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// One row of `change_log`, with names in the place of numbers.
struct ChangeEntry {
  std::int64_t seq = 0;
  std::string kind, entity_kind, entity_id;
  std::int64_t branch_id = 1;
  std::optional<std::string> branch;
  std::optional<std::int64_t> commit_seq;
  std::optional<std::string> commit_id;
  UtcMillis at{};
  std::string payload;  ///< a JSON object
};

/// Both read in the caller's transaction; SQLite::Exception passes through. Together in one transaction they
/// cannot miss a gap that retention makes.

StreamBounds ReadChangeBounds(ReaderConnection& reader);
/// The rows after `after` in their order, at most `limit`.
std::vector<ChangeEntry> ReadChanges(ReaderConnection& reader, std::int64_t after, std::size_t limit);

/// Which changes somebody wants to hear of. Empty members filter nothing.
struct ChangeFilter {
  std::vector<std::string> kinds, entity_kinds, entities;
  std::string branch;

  bool Passes(const ChangeEntry& entry) const;
};
/// The parameters kind, entity_kind, entity (each a list joined by commas; ids in any case) and branch.
ChangeFilter ReadChangeFilter(const Request& request);

/// The change as a JSON object; its cursor is `<epoch>-<seq>`.
std::string ChangeJson(const ChangeEntry& entry, std::string_view epoch);

}  // namespace heliograph::server
