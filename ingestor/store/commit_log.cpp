#include "ingestor/store/commit_log.h"

#include <algorithm>

#include "common/failpoint.h"
#include "common/ulid.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {
constexpr std::int64_t kMicrosPerMilli = 1000;
}

CommitLog::CommitLog(SQLite::Database& database) : database_(database) {}

CommitSeq CommitLog::Head(BranchId branch) {
  SQLite::Statement head(database_, "SELECT head_seq FROM branch WHERE branch_id=? AND state='live'");
  if (!RowBinder(head).Integer(static_cast<std::int64_t>(branch)).Step())
    throw std::out_of_range("there is no live branch " + std::to_string(static_cast<std::int64_t>(branch)));
  return CommitSeq{head.getColumn(0).getInt64()};
}

CommitSeq CommitLog::Newest() {
  return CommitSeq{database_.execAndGet("SELECT max(commit_seq) FROM commit_log").getInt64()};
}

CommitSeq CommitLog::Begin(const CommitFacts& facts, UtcMillis now) {
  const auto parent = static_cast<std::int64_t>(Head(facts.branch));
  // Later than the parent too, which the first commit of a branch has on main: a time then names one commit
  // of a line.
  SQLite::Statement newest(
      database_,
      "SELECT max(coalesce((SELECT max(committed_us) FROM commit_log WHERE branch_id=?1), 0),"
      " (SELECT committed_us FROM commit_log WHERE commit_seq=?2))");
  RowBinder(newest).Integer(static_cast<std::int64_t>(facts.branch)).Integer(parent).Step();
  const std::int64_t committed_us =
      std::max(now.time_since_epoch().count() * kMicrosPerMilli, newest.getColumn(0).getInt64() + 1);
  const std::string id = Ulid::Generate(now).ToText();
  SQLite::Statement insert(
      database_,
      "INSERT INTO commit_log(commit_id, branch_id, parent_seq, kind, stream, actor, authored_us, "
      "committed_us, ledger_id,"
      " watermark, digest, inserted, updated, removed, merged_parent_seq) VALUES "
      "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  std::optional<std::int64_t> merged_parent;
  if (facts.merged_parent) merged_parent = static_cast<std::int64_t>(*facts.merged_parent);
  RowBinder(insert)
      .Text(id)
      .Integer(static_cast<std::int64_t>(facts.branch))
      .Integer(parent)
      .Text(facts.kind)
      .Text(facts.stream)
      .Text(facts.actor)
      .Integer(facts.authored_at.time_since_epoch().count() * kMicrosPerMilli)
      .Integer(committed_us)
      .Text(facts.ledger_id)
      .Integer(facts.watermark)
      .Text(facts.digest)
      .Integer(facts.inserted)
      .Integer(facts.updated)
      .Integer(facts.removed)
      .Integer(merged_parent)
      .Run();
  const CommitSeq commit{database_.getLastInsertRowid()};
  HELIOGRAPH_FAILPOINT(kApplyAfterCommitRow);
  return commit;
}

void CommitLog::MoveHead(BranchId branch, CommitSeq commit) {
  SQLite::Statement move(database_,
                         "UPDATE branch SET head_seq=?1 WHERE branch_id=?2 AND head_seq="
                         "(SELECT parent_seq FROM commit_log WHERE commit_seq=?1)");
  const int moved = RowBinder(move)
                        .Integer(static_cast<std::int64_t>(commit))
                        .Integer(static_cast<std::int64_t>(branch))
                        .Run();
  if (moved != 1) throw HeadMoved("the head of a branch moved while a commit was being written");
  HELIOGRAPH_FAILPOINT(kApplyAfterHeadMove);
}

}  // namespace heliograph::ingestor
