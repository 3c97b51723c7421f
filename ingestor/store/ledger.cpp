#include "ingestor/store/ledger.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "common/bytes.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::array<std::string_view, 8> kOutcomeNames{"applied",    "done",     "noop",     "stale",
                                                        "superseded", "conflict", "rejected", "wrong_epoch"};

Outcome OutcomeNamed(const std::string& name) {
  for (std::size_t i = 0; i < kOutcomeNames.size(); ++i)
    if (kOutcomeNames[i] == name) return static_cast<Outcome>(i);
  throw std::out_of_range("the ledger holds an outcome that this program does not know: " + name);
}

}  // namespace

std::string_view Name(Outcome outcome) {
  return kOutcomeNames.at(static_cast<std::size_t>(outcome));
}

Ledger::Ledger(SQLite::Database& database) : database_(database) {}

UtcMillis Ledger::NextTime(UtcMillis now) {
  // A reader follows the ledger by its times, so that they grow whatever the clock does.
  SQLite::Statement newest(database_, "SELECT coalesce(max(applied_at), 0) FROM ledger");
  newest.executeStep();
  return std::max(now, TimeColumn(newest.getColumn(0)) + std::chrono::milliseconds(1));
}

std::optional<Outcome> Ledger::Find(const std::string& id) {
  SQLite::Statement row(database_, "SELECT outcome FROM ledger WHERE id=?");
  if (!RowBinder(row).Text(id).Step()) return std::nullopt;
  return OutcomeNamed(row.getColumn(0).getString());
}

std::string Ledger::Reason(const std::string& id) {
  SQLite::Statement row(database_, "SELECT coalesce(reason, '') FROM ledger WHERE id=?");
  if (!RowBinder(row).Text(id).Step()) return {};
  return row.getColumn(0).getString();
}

std::int64_t Ledger::NewestWatermark(BranchId branch, const std::string& stream) {
  return Newest("watermark", branch, stream);
}

std::int64_t Ledger::NewestProducerSeq(BranchId branch, const std::string& stream) {
  return Newest("producer_seq", branch, stream);
}

std::int64_t Ledger::Newest(const char* column, BranchId branch, const std::string& stream) {
  SQLite::Statement row(database_, std::string("SELECT coalesce(max(") + column +
                                       "), 0) FROM ledger WHERE branch_id=? AND stream=?"
                                       " AND outcome IN ('applied', 'done', 'noop')");
  RowBinder(row).Integer(static_cast<std::int64_t>(branch)).Text(stream).Step();
  return row.getColumn(0).getInt64();
}

void Ledger::Record(const std::string& id, const queue::Envelope& envelope, const Verdict& verdict,
                    UtcMillis now, const std::string& boot_id) {
  SQLite::Statement insert(database_,
                           "INSERT INTO ledger(id, kind, stream, branch_id, instance, producer_seq, "
                           "watermark, digest, payload_bytes, actor,"
                           " created_at, applied_at, boot_id, outcome, commit_seq, reason, result) VALUES "
                           "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  const std::string kind(queue::Name(envelope.kind));
  const std::string digest = ToHexLower(envelope.payload_sha256);
  const std::string outcome(Name(verdict.outcome));
  std::optional<std::int64_t> commit;
  if (verdict.commit) commit = static_cast<std::int64_t>(*verdict.commit);
  RowBinder(insert)
      .Text(id)
      .Text(kind)
      .Text(envelope.stream)
      .Integer(envelope.branch_id)
      .Text(envelope.instance)
      .Integer(envelope.producer_seq)
      .Integer(envelope.watermark)
      .Text(digest)
      .Integer(static_cast<std::int64_t>(envelope.payload_bytes))
      .Text(envelope.actor)
      .Time(envelope.created_at)
      .Time(NextTime(now))
      .Text(boot_id)
      .Text(outcome)
      .Integer(commit)
      .Text(verdict.reason)
      .Text(verdict.result)
      .Run();
}

void Ledger::RecordUnreadable(const std::string& id, const std::string& reason, UtcMillis now,
                              const std::string& boot_id) {
  SQLite::Statement insert(
      database_, "INSERT INTO ledger(id, applied_at, boot_id, outcome, reason) VALUES (?,?,?,'rejected',?)");
  RowBinder(insert).Text(id).Time(NextTime(now)).Text(boot_id).Text(reason).Run();
}

}  // namespace heliograph::ingestor
