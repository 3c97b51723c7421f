#include "ingestor/store/capability_history.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

std::vector<IdentityKey> Keys(SQLite::Statement& rows) {
  std::vector<IdentityKey> keys;
  while (rows.executeStep()) keys.push_back(IdentityKey{rows.getColumn(0).getInt64()});
  return keys;
}

}  // namespace

CapabilityHistory::CapabilityHistory(SQLite::Database& database)
    : database_(database),
      at_(database,
          "SELECT to_seq, status, evidence, max_hash_size, adopted, likely_legacy, probability FROM "
          "node_capability"
          " WHERE branch_id=?1 AND node_key=?2 AND from_seq<=?3 ORDER BY from_seq DESC LIMIT 1"),
      wrote_(database,
             "SELECT 1 FROM node_capability WHERE branch_id=? AND node_key=? AND from_seq<=? LIMIT 1") {}

PastCapability CapabilityHistory::At(BranchId branch, IdentityKey node, CommitSeq seq) {
  RowBinder row(at_);
  PastCapability past;
  const auto at = static_cast<std::int64_t>(seq);
  if (row.Integer(static_cast<std::int64_t>(branch)).Key(node).Integer(at).Step()) {
    const auto to_seq = OptionalInteger(at_.getColumn(0));
    if (!to_seq || *to_seq > at) {
      past.emplace();
      past->status = static_cast<CapabilityStatus>(at_.getColumn(1).getInt());
      if (const auto evidence = OptionalText(at_.getColumn(2)))
        past->evidence = ParseCapabilityEvidence(*evidence);
      if (const auto size = OptionalInteger(at_.getColumn(3)))
        past->max_hash_size = static_cast<std::uint8_t>(*size);
      past->adopted = at_.getColumn(4).getInt() != 0;
      past->likely_legacy = at_.getColumn(5).getInt() != 0;
      if (!at_.getColumn(6).isNull()) past->probability = at_.getColumn(6).getInt();
    }
  }
  at_.tryReset();
  return past;
}

bool CapabilityHistory::Wrote(BranchId branch, IdentityKey node, CommitSeq seq) {
  RowBinder row(wrote_);
  const bool wrote =
      row.Integer(static_cast<std::int64_t>(branch)).Key(node).Integer(static_cast<std::int64_t>(seq)).Step();
  wrote_.tryReset();
  return wrote;
}

std::vector<IdentityKey> CapabilityHistory::TouchedAfter(BranchId branch, CommitSeq seq) {
  SQLite::Statement rows(
      database_,
      "SELECT node_key FROM node_capability WHERE from_seq>?1 AND +branch_id=?2 UNION"
      " SELECT node_key FROM node_capability WHERE to_seq>?1 AND +branch_id=?2 ORDER BY 1");
  RowBinder(rows).Integer(static_cast<std::int64_t>(seq)).Integer(static_cast<std::int64_t>(branch));
  return Keys(rows);
}

std::vector<IdentityKey> CapabilityHistory::TouchedBy(CommitSeq commit) {
  SQLite::Statement rows(database_,
                         "SELECT node_key FROM node_capability WHERE from_seq=?1 UNION"
                         " SELECT node_key FROM node_capability WHERE to_seq=?1 ORDER BY 1");
  RowBinder(rows).Integer(static_cast<std::int64_t>(commit));
  return Keys(rows);
}

bool IsNode(SQLite::Database& database, IdentityKey node) {
  SQLite::Statement row(
      database,
      "SELECT 1 FROM nodes WHERE node_key=?1 UNION ALL SELECT 1 FROM inactive_nodes WHERE node_key=?1");
  return RowBinder(row).Key(node).Step();
}

std::string NodeText(SQLite::Database& database, IdentityKey node) {
  SQLite::Statement row(database, "SELECT lower(hex(public_key)) FROM identity WHERE key=?");
  if (!RowBinder(row).Key(node).Step()) return std::to_string(static_cast<std::int64_t>(node));
  return row.getColumn(0).getString();
}

}  // namespace heliograph::ingestor
