#include "server/feed/change_reader.h"

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "server/routes/json_text.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

std::vector<std::string> ListParameter(const Request& request, std::string_view name) {
  std::vector<std::string> items;
  const std::string* text = request.FindQuery(name);
  if (text == nullptr) return items;
  std::string item;
  for (const char c : *text + ',') {
    if (c != ',') {
      if (c != ' ') item += c;
    } else if (!item.empty()) {
      items.push_back(std::exchange(item, {}));
    }
  }
  return items;
}

bool Lists(const std::vector<std::string>& wanted, std::string_view value) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [value](const std::string& one) {
           return EqualsIgnoringCase(one, value);
         });
}

}  // namespace

StreamBounds ReadChangeBounds(ReaderConnection& reader) {
  Statement& row = reader.Prepared(
      "SELECT (SELECT value FROM meta WHERE key = 'epoch'), (SELECT CAST(value AS INTEGER) FROM meta WHERE "
      "key = 'feed_floor'), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)");
  row.executeStep();
  // Not the highest row: with the log pruned to nothing that would be none, and cursors would seem to be
  // ahead.
  return {row.getColumn(0).getString(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

std::vector<ChangeEntry> ReadChanges(ReaderConnection& reader, std::int64_t after, std::size_t limit) {
  Statement& rows = reader.Prepared(
      "SELECT l.seq, l.kind, l.entity_kind, l.entity_id, l.branch_id, b.name, l.commit_seq, c.commit_id, "
      "l.logged_at, l.payload FROM change_log AS l LEFT JOIN branch AS b ON b.branch_id = l.branch_id "
      "LEFT JOIN commit_log AS c ON c.commit_seq = l.commit_seq WHERE l.seq > ? ORDER BY l.seq LIMIT ?");
  rows.bind(1, after);
  rows.bind(2, static_cast<std::int64_t>(limit));
  std::vector<ChangeEntry> entries;
  while (rows.executeStep()) {
    ChangeEntry entry;
    entry.seq = rows.getColumn(0).getInt64();
    entry.kind = rows.getColumn(1).getString();
    entry.entity_kind = rows.getColumn(2).getString();
    entry.entity_id = rows.getColumn(3).getString();
    entry.branch_id = rows.getColumn(4).getInt64();
    entry.branch = TextOf(rows.getColumn(5));
    entry.commit_seq = NumberOf(rows.getColumn(6));
    entry.commit_id = TextOf(rows.getColumn(7));
    entry.at = TimeOf(rows.getColumn(8));
    entry.payload = rows.getColumn(9).getString();
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool ChangeFilter::Passes(const ChangeEntry& entry) const {
  return Lists(kinds, entry.kind) && Lists(entity_kinds, entry.entity_kind) &&
         Lists(entities, entry.entity_id) && (branch.empty() || entry.branch == branch);
}

ChangeFilter ReadChangeFilter(const Request& request) {
  const std::string* branch = request.FindQuery("branch");
  return {ListParameter(request, "kind"), ListParameter(request, "entity_kind"),
          ListParameter(request, "entity"), branch == nullptr ? std::string() : *branch};
}

std::string ChangeJson(const ChangeEntry& entry, std::string_view epoch) {
  JsonText out;
  out.BeginObject()
      .Member("seq", entry.seq)
      .Member("cursor", CursorText(epoch, entry.seq))
      .Member("kind", entry.kind)
      .Member("entity_kind", entry.entity_kind)
      .Member("entity_id", entry.entity_id)
      .Member("branch", entry.branch)
      .Member("branch_id", entry.branch_id)
      .Member("commit", entry.commit_id)
      .Member("commit_seq", entry.commit_seq)
      .Member("at", entry.at)
      .Key("data")
      .Raw(entry.payload)
      .EndObject();
  return std::move(out).Take();
}

}  // namespace heliograph::server
