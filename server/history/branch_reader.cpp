#include "server/history/branch_reader.h"

#include <utility>

#include "server/history/entity_history.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

const std::string kBranches =
    "SELECT b.branch_id, b.name, b.base_seq, b.head_seq, base.commit_id, head.commit_id, b.state, b.actor, "
    "b.created_at, b.deleted_at, (SELECT count(*) FROM commit_log AS c WHERE c.branch_id = b.branch_id), "
    "(SELECT max(m.commit_seq) FROM commit_log AS m JOIN commit_log AS p ON p.commit_seq = "
    "m.merged_parent_seq "
    "WHERE m.kind = 'merge' AND m.branch_id = 1 AND p.branch_id = b.branch_id) FROM branch AS b "
    "LEFT JOIN commit_log AS base ON base.commit_seq = b.base_seq "
    "JOIN commit_log AS head ON head.commit_seq = b.head_seq ";

BranchRow ReadRow(Statement& row) {
  BranchRow branch;
  branch.line = {row.getColumn(0).getInt64(), row.getColumn(1).getString(), NumberOf(row.getColumn(2)),
                 row.getColumn(3).getInt64()};
  branch.base_commit = TextOf(row.getColumn(4));
  branch.head_commit = row.getColumn(5).getString();
  branch.state = row.getColumn(6).getString();
  branch.actor = row.getColumn(7).getString();
  branch.created_at = TimeOf(row.getColumn(8));
  branch.deleted_at = OptionalTimeOf(row.getColumn(9));
  branch.commits = row.getColumn(10).getInt64();
  branch.merged_as = NumberOf(row.getColumn(11));
  return branch;
}

/// The next entities that either side touched since the base, by id.
std::vector<std::string> TouchedIds(ReaderConnection& reader, const EntityKind& kind, const BranchLine& line,
                                    const std::string& after, std::size_t limit) {
  const std::string id(kind.id);
  const std::string from =
      "SELECT " + id + " FROM " + std::string(kind.intervals) + " WHERE " + id + " > ?1 AND ";
  // The plus keeps SQLite from the primary key, which begins with the branch: nearly all rows are main's.
  Statement& rows = reader.Prepared(from + "v.branch_id = ?2 UNION " + from +
                                    "v.from_seq > ?3 AND +v.branch_id = 1 UNION " + from +
                                    "v.to_seq > ?3 AND +v.branch_id = 1 ORDER BY 1 LIMIT ?4");
  rows.bind(1, after);
  rows.bind(2, line.branch_id);
  rows.bind(3, line.base_seq.value_or(0));
  rows.bind(4, static_cast<std::int64_t>(limit));
  std::vector<std::string> ids;
  while (rows.executeStep()) ids.push_back(rows.getColumn(0).getString());
  return ids;
}

std::optional<BranchDifference> Compare(ReaderConnection& reader, const EntityKind& kind,
                                        const std::string& id, const BranchLine& line,
                                        const BranchLine& main) {
  const auto key = kind.key_of(id);
  if (!key) return std::nullopt;
  BranchDifference difference;
  difference.kind = &kind;
  difference.id = id;
  difference.base = StateAt(reader, kind, *key, main, line.base_seq.value_or(0));
  difference.main = StateAt(reader, kind, *key, main, main.head_seq);
  difference.branch = StateAt(reader, kind, *key, line, line.head_seq);
  difference.main_changed = difference.main != difference.base;
  difference.branch_changed = difference.branch != difference.base;
  if (difference.main == difference.branch) return std::nullopt;
  return difference;
}

}  // namespace

std::vector<BranchRow> ReadBranches(ReaderConnection& reader, bool deleted) {
  Statement& rows = reader.Prepared(
      kBranches + (deleted ? "ORDER BY b.branch_id" : "WHERE b.state = 'live' ORDER BY b.branch_id"));
  std::vector<BranchRow> branches;
  while (rows.executeStep()) branches.push_back(ReadRow(rows));
  return branches;
}

BranchRow ReadBranch(ReaderConnection& reader, const std::string& name) {
  const BranchLine line = BranchNamed(reader, name);
  Statement& row = reader.Prepared(kBranches + "WHERE b.branch_id = ?");
  row.bind(1, line.branch_id);
  row.executeStep();
  return ReadRow(row);
}

std::vector<BranchDifference> DifferencesOf(ReaderConnection& reader, const BranchLine& line,
                                            const BranchLine& main, const EntityKind* only,
                                            const std::optional<DifferenceCursor>& cursor,
                                            std::size_t limit) {
  std::vector<BranchDifference> differences;
  bool reached = !cursor;
  for (const EntityKind& kind : EntityKinds()) {
    const bool goes_on_here = !reached && cursor->kind == kind.name;
    reached = reached || goes_on_here;
    if (!reached || (only != nullptr && only != &kind)) continue;
    std::string after = goes_on_here ? cursor->id : std::string();
    while (differences.size() < limit) {
      const auto ids = TouchedIds(reader, kind, line, after, limit);
      for (const std::string& id : ids) {
        auto difference = Compare(reader, kind, id, line, main);
        if (difference && differences.size() < limit) differences.push_back(std::move(*difference));
      }
      if (ids.size() < limit) break;
      after = ids.back();
    }
  }
  return differences;
}

}  // namespace heliograph::server
