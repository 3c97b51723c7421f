#include "server/history/as_of.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "server/http/problem.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kMain = 1;
constexpr std::string_view kSeqForm = "seq:";
constexpr std::string_view kTimeForm = "time:";
constexpr std::string_view kMicroseconds = "us";
constexpr std::string_view kPinForm = "pin:";

struct FoundCommit {
  CommitMoment moment;
  std::int64_t branch_id = 0;
};

std::optional<std::int64_t> WholeNumber(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Statement& CommitQuery(ReaderConnection& reader, std::string_view condition) {
  return reader.Prepared(
      "SELECT commit_seq, commit_id, committed_us / 1000, branch_id FROM commit_log WHERE " +
      std::string(condition));
}

std::optional<FoundCommit> ReadCommit(Statement& row) {
  if (!row.executeStep()) return std::nullopt;
  FoundCommit found;
  found.moment.seq = row.getColumn(0).getInt64();
  found.moment.commit_id = row.getColumn(1).getString();
  found.moment.committed_at = TimeOf(row.getColumn(2));
  found.branch_id = row.getColumn(3).getInt64();
  return found;
}

std::optional<FoundCommit> CommitOfSeq(ReaderConnection& reader, std::int64_t seq) {
  Statement& row = CommitQuery(reader, "commit_seq = ?");
  row.bind(1, seq);
  return ReadCommit(row);
}

std::optional<FoundCommit> NewestUntil(ReaderConnection& reader, std::int64_t branch, std::int64_t last_us,
                                       std::int64_t last_seq) {
  Statement& row = CommitQuery(
      reader, "branch_id = ? AND committed_us <= ? AND commit_seq <= ? ORDER BY committed_us DESC LIMIT 1");
  row.bind(1, branch);
  row.bind(2, last_us);
  row.bind(3, last_seq);
  return ReadCommit(row);
}

std::optional<FoundCommit> NewestOnLineUntil(ReaderConnection& reader, const BranchLine& line,
                                             std::int64_t last_us) {
  auto own = NewestUntil(reader, line.branch_id, last_us, line.head_seq);
  if (own || !line.base_seq) return own;
  return NewestUntil(reader, kMain, last_us, *line.base_seq);
}

/// The last microsecond that the text covers; nothing when it is no form of a time.
std::optional<std::int64_t> ReadTime(const std::string& as_of) {
  const bool is_marked = as_of.starts_with(kTimeForm);
  const std::string_view text = std::string_view(as_of).substr(is_marked ? kTimeForm.size() : 0);
  if (is_marked && text.ends_with(kMicroseconds)) {
    if (const auto number = WholeNumber(text.substr(0, text.size() - kMicroseconds.size()))) return number;
  }
  const auto parsed = ParseTime(text);
  if (!is_marked && !parsed) return std::nullopt;
  if (!parsed || parsed->zone != TimeZoneKnowledge::kStated) {
    throw ProblemError(400, "as_of=" + as_of + ": a time must be of RFC 3339, with Z or an offset");
  }
  return (parsed->time.time_since_epoch().count() + 1) * 1000 - 1;
}

std::optional<FoundCommit> FindCommit(ReaderConnection& reader, const std::string& as_of,
                                      const BranchLine& line) {
  if (as_of.starts_with(kSeqForm)) {
    const auto seq = WholeNumber(std::string_view(as_of).substr(kSeqForm.size()));
    if (!seq) throw ProblemError(400, "as_of=" + as_of + ": after seq: there must be the number of a commit");
    return CommitOfSeq(reader, *seq);
  }
  if (as_of.starts_with(kPinForm)) {
    Statement& row = CommitQuery(reader, "commit_seq = (SELECT commit_seq FROM pin WHERE name = ?)");
    row.bind(1, as_of.substr(kPinForm.size()));
    return ReadCommit(row);
  }
  if (const auto last_us = ReadTime(as_of)) return NewestOnLineUntil(reader, line, *last_us);
  Statement& row = CommitQuery(reader, "commit_id = ?");
  row.bind(1, as_of);
  return ReadCommit(row);
}

bool IsOnLine(const FoundCommit& commit, const BranchLine& line) {
  return commit.branch_id == line.branch_id ||
         (line.base_seq && commit.branch_id == kMain && commit.moment.seq <= *line.base_seq);
}

void ReadWatermark(ReaderConnection& reader, const BranchLine& line, CommitMoment& moment) {
  Statement& row = reader.Prepared(
      "SELECT watermark FROM commit_log WHERE commit_seq <= ?1 AND watermark IS NOT NULL AND "
      "(branch_id = ?2 OR (branch_id = 1 AND commit_seq <= ?3)) ORDER BY commit_seq DESC LIMIT 1");
  row.bind(1, moment.seq);
  row.bind(2, line.branch_id);
  row.bind(3, line.base_seq.value_or(0));
  moment.watermark.reset();
  if (row.executeStep()) moment.watermark = NumberOf(row.getColumn(0));
}

Statement& LiveBranchQuery(ReaderConnection& reader, const std::string& condition) {
  return reader.Prepared("SELECT branch_id, name, base_seq, head_seq FROM branch WHERE state = 'live' AND " +
                         condition);
}

std::optional<BranchLine> ReadLine(Statement& row) {
  if (!row.executeStep()) return std::nullopt;
  return BranchLine{row.getColumn(0).getInt64(), row.getColumn(1).getString(), NumberOf(row.getColumn(2)),
                    row.getColumn(3).getInt64()};
}

[[noreturn]] void RefuseReclaimed(ReaderConnection& reader, const std::string& as_of, std::int64_t floor) {
  const auto oldest = CommitOfSeq(reader, floor);
  std::string members = R"("code":"history_reclaimed","floor_seq":)" + std::to_string(floor);
  std::string where = "commit " + std::to_string(floor);
  if (oldest) {
    const std::string time = FormatTime(oldest->moment.committed_at);
    members +=
        ",\"floor_commit\":" + JsonQuoted(oldest->moment.commit_id) + ",\"floor_time\":" + JsonQuoted(time);
    where += " of " + time;
  }
  throw ProblemError(410, "as_of=" + as_of + ": history is kept from " + where + " on", std::move(members));
}

}  // namespace

BranchLine BranchNamed(ReaderConnection& reader, const std::string& name) {
  Statement& row = LiveBranchQuery(reader, "name = ?");
  row.bind(1, name);
  const auto line = ReadLine(row);
  if (!line)
    throw ProblemError(404, "there is no branch " + name + "; /api/branches lists those that are there");
  return *line;
}

std::optional<BranchLine> LiveBranch(ReaderConnection& reader, std::int64_t branch_id) {
  Statement& row = LiveBranchQuery(reader, "branch_id = ?");
  row.bind(1, branch_id);
  return ReadLine(row);
}

BranchLine BranchParameter(ReaderConnection& reader, const Request& request) {
  const std::string* name = request.FindQuery("branch");
  return BranchNamed(reader, name == nullptr || name->empty() ? "main" : *name);
}

CommitMoment ResolveAsOf(ReaderConnection& reader, const std::string& as_of, const BranchLine& line) {
  auto found = FindCommit(reader, as_of, line);
  if (!found) {
    throw ProblemError(404, "as_of=" + as_of + ": " + line.name +
                                " has no such commit; give a commit's id, seq:<number>, pin:<name> or an "
                                "RFC 3339 time");
  }
  if (!IsOnLine(*found, line)) {
    throw ProblemError(409,
                       "as_of=" + as_of + ": that commit is not in the history of the branch " + line.name,
                       "\"code\":\"not_on_branch\"");
  }
  if (const std::int64_t floor = HistoryFloor(reader); found->moment.seq < floor)
    RefuseReclaimed(reader, as_of, floor);
  ReadWatermark(reader, line, found->moment);
  return found->moment;
}

CommitMoment ResolveAsOf(ReaderConnection& reader, const std::string& as_of) {
  return ResolveAsOf(reader, as_of, BranchNamed(reader, "main"));
}

std::optional<std::string> AsOfText(const Request& request) {
  const std::string* text = request.FindQuery("as_of");
  if (text == nullptr || text->empty()) return std::nullopt;
  return *text;
}

CommitMoment MomentParameter(ReaderConnection& reader, const Request& request, const BranchLine& line) {
  const auto text = AsOfText(request);
  return ResolveAsOf(reader, text.value_or(std::string(kSeqForm) + std::to_string(line.head_seq)), line);
}

bool NamesBranch(const Request& request) {
  const std::string* name = request.FindQuery("branch");
  return name != nullptr && !name->empty() && *name != "main";
}

std::int64_t HistoryFloor(ReaderConnection& reader) {
  Statement& row = reader.Prepared("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'history_floor'");
  return row.executeStep() ? row.getColumn(0).getInt64() : 0;
}

}  // namespace heliograph::server
