#include "ingestor/store/commit_lookup.h"

#include <algorithm>
#include <charconv>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::string_view kSeqForm = "seq:";
constexpr std::size_t kLongestName = 64;

std::optional<std::int64_t> SeqOf(const std::string& name) {
  if (!name.starts_with(kSeqForm)) return std::nullopt;
  std::int64_t seq = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kSeqForm.size(), end, seq);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return seq;
}

}  // namespace

tl::expected<NamedCommit, std::string> LookUpCommit(SQLite::Database& database, const std::string& name) {
  SQLite::Statement row(
      database,
      "SELECT commit_seq, branch_id, parent_seq, stream, kind, ledger_id FROM commit_log WHERE commit_id=?1 "
      "OR commit_seq=?2");
  if (!RowBinder(row).Text(name).Integer(SeqOf(name)).Step())
    return tl::unexpected("there is no commit " + name);
  NamedCommit commit{CommitSeq{row.getColumn(0).getInt64()},
                     BranchId{row.getColumn(1).getInt64()},
                     std::nullopt,
                     OptionalText(row.getColumn(3)),
                     row.getColumn(4).getString(),
                     OptionalText(row.getColumn(5))};
  if (const auto parent = OptionalInteger(row.getColumn(2))) commit.parent = CommitSeq{*parent};
  if (const CommitSeq floor = HistoryFloor(database); commit.seq < floor) {
    return tl::unexpected("the state as of commit " + name +
                          " is no longer kept: history begins with commit " +
                          std::to_string(static_cast<std::int64_t>(floor)));
  }
  return commit;
}

CommitSeq HistoryFloor(SQLite::Database& database) {
  SQLite::Statement row(database, "SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor'");
  row.executeStep();
  return CommitSeq{row.getColumn(0).getInt64()};
}

bool IsHistoryName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace heliograph::ingestor
