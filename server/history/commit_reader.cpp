#include "server/history/commit_reader.h"

#include <charconv>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::string_view kSeqForm = "seq:";

const std::string kCommits =
    "SELECT c.commit_seq, c.commit_id, c.branch_id, b.name, c.parent_seq, p.commit_id, c.merged_parent_seq, "
    "m.commit_id, c.kind, c.stream, c.actor, c.authored_us / 1000, c.committed_us / 1000, c.ledger_id, "
    "c.watermark, c.digest, c.inserted, c.updated, c.removed FROM commit_log AS c "
    "JOIN branch AS b ON b.branch_id = c.branch_id "
    "LEFT JOIN commit_log AS p ON p.commit_seq = c.parent_seq "
    "LEFT JOIN commit_log AS m ON m.commit_seq = c.merged_parent_seq ";

// The number of a commit and its time grow together on a branch, and the time has the index.
constexpr std::string_view kFilter =
    "WHERE c.branch_id = ?1 AND (?2 IS NULL OR c.kind = ?2) AND (?3 IS NULL OR c.stream = ?3) AND "
    "(?4 IS NULL OR c.actor = ?4) ";

void BindFilter(Statement& statement, const BranchLine& line, const CommitFilter& filter) {
  statement.bind(1, line.branch_id);
  int index = 2;
  for (const auto* text : {&filter.kind, &filter.stream, &filter.actor}) {
    if (*text) statement.bind(index, **text);
    ++index;
  }
}

Commit ReadCommit(Statement& row) {
  Commit commit;
  commit.seq = row.getColumn(0).getInt64();
  commit.id = row.getColumn(1).getString();
  commit.branch_id = row.getColumn(2).getInt64();
  commit.branch = row.getColumn(3).getString();
  commit.parent_seq = NumberOf(row.getColumn(4));
  commit.parent_id = TextOf(row.getColumn(5));
  commit.merged_parent_seq = NumberOf(row.getColumn(6));
  commit.merged_parent_id = TextOf(row.getColumn(7));
  commit.kind = row.getColumn(8).getString();
  commit.stream = TextOf(row.getColumn(9));
  commit.actor = row.getColumn(10).getString();
  commit.authored_at = TimeOf(row.getColumn(11));
  commit.committed_at = TimeOf(row.getColumn(12));
  commit.request_id = TextOf(row.getColumn(13));
  commit.watermark = NumberOf(row.getColumn(14));
  commit.digest = TextOf(row.getColumn(15));
  commit.inserted = row.getColumn(16).getInt64();
  commit.updated = row.getColumn(17).getInt64();
  commit.removed = row.getColumn(18).getInt64();
  return commit;
}

}  // namespace

std::vector<Commit> CommitsOf(ReaderConnection& reader, const BranchLine& line, const CommitFilter& filter,
                              std::optional<std::int64_t> before, std::size_t limit) {
  Statement& rows =
      reader.Prepared(kCommits + std::string(kFilter) +
                      "AND c.committed_us < coalesce((SELECT committed_us FROM commit_log WHERE commit_seq = "
                      "?5), ?6) ORDER BY c.committed_us DESC LIMIT ?7");
  BindFilter(rows, line, filter);
  if (before) rows.bind(5, *before);
  rows.bind(6, std::numeric_limits<std::int64_t>::max());
  rows.bind(7, static_cast<std::int64_t>(limit));
  std::vector<Commit> commits;
  while (rows.executeStep()) commits.push_back(ReadCommit(rows));
  return commits;
}

std::int64_t CountCommits(ReaderConnection& reader, const BranchLine& line, const CommitFilter& filter) {
  Statement& row = reader.Prepared("SELECT count(*) FROM commit_log AS c " + std::string(kFilter));
  BindFilter(row, line, filter);
  row.executeStep();
  return row.getColumn(0).getInt64();
}

std::optional<Commit> FindCommit(ReaderConnection& reader, const std::string& id) {
  std::int64_t seq = 0;
  const bool by_seq = id.starts_with(kSeqForm);
  if (by_seq) {
    const char* end = id.data() + id.size();
    const auto parsed = std::from_chars(id.data() + kSeqForm.size(), end, seq);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  }
  Statement& row = reader.Prepared(kCommits + (by_seq ? "WHERE c.commit_seq = ?" : "WHERE c.commit_id = ?"));
  if (by_seq) {
    row.bind(1, seq);
  } else {
    row.bind(1, id);
  }
  if (!row.executeStep()) return std::nullopt;
  return ReadCommit(row);
}

BranchLine LineOf(ReaderConnection& reader, const Commit& commit) {
  Statement& row =
      reader.Prepared("SELECT branch_id, name, base_seq, head_seq FROM branch WHERE branch_id = ?");
  row.bind(1, commit.branch_id);
  if (!row.executeStep()) throw std::out_of_range("commit " + commit.id + " belongs to no branch");
  return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), NumberOf(row.getColumn(2)),
          row.getColumn(3).getInt64()};
}

}  // namespace heliograph::server
