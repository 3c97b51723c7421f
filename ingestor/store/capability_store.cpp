#include "ingestor/store/capability_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

std::optional<std::string> EvidenceText(std::optional<CapabilityEvidence> evidence) {
  return evidence ? std::optional(std::string(Name(*evidence))) : std::nullopt;
}

std::optional<std::int64_t> Widen(const std::optional<std::uint8_t>& value) {
  return value ? std::optional<std::int64_t>(*value) : std::nullopt;
}

std::optional<std::int64_t> Widen(const std::optional<int>& value) {
  return value ? std::optional<std::int64_t>(*value) : std::nullopt;
}

}  // namespace

CapabilityStore::CapabilityStore(SQLite::Database& database)
    : now_(database,
           "SELECT status, evidence, max_hash_size, adopted, likely_legacy, probability FROM node_capability"
           " WHERE branch_id=? AND node_key=? AND to_seq IS NULL"),
      close_(database,
             "UPDATE node_capability SET to_seq=? WHERE branch_id=? AND node_key=? AND to_seq IS NULL"),
      open_(database,
            "INSERT INTO node_capability(branch_id, node_key, from_seq, status, evidence, max_hash_size, "
            "adopted,"
            " likely_legacy, probability) VALUES (?,?,?,?,?,?,?,?,?)"),
      counters_(
          database,
          "INSERT INTO capability_counters(node_key, advert_proofs, relay_proofs, path_hints, last_proof_at, "
          "watermark)"
          " VALUES (?,?,?,?,?,?) ON CONFLICT(node_key) DO UPDATE SET advert_proofs=excluded.advert_proofs,"
          " relay_proofs=excluded.relay_proofs, path_hints=excluded.path_hints,"
          " last_proof_at=max(coalesce(last_proof_at, 0), coalesce(excluded.last_proof_at, 0)),"
          " watermark=excluded.watermark"
          " WHERE advert_proofs IS NOT excluded.advert_proofs OR relay_proofs IS NOT excluded.relay_proofs"
          " OR path_hints IS NOT excluded.path_hints OR coalesce(last_proof_at, 0) < "
          "coalesce(excluded.last_proof_at, 0)"),
      database_(database) {}

std::optional<CapabilityState> CapabilityStore::Now(BranchId branch, IdentityKey node) {
  RowBinder row(now_);
  std::optional<CapabilityState> state;
  if (row.Integer(static_cast<std::int64_t>(branch)).Key(node).Step()) {
    state.emplace();
    state->status = static_cast<CapabilityStatus>(now_.getColumn(0).getInt());
    if (!now_.getColumn(1).isNull()) state->evidence = ParseCapabilityEvidence(now_.getColumn(1).getString());
    if (!now_.getColumn(2).isNull())
      state->max_hash_size = static_cast<std::uint8_t>(now_.getColumn(2).getInt());
    state->adopted = now_.getColumn(3).getInt() != 0;
    state->likely_legacy = now_.getColumn(4).getInt() != 0;
    if (!now_.getColumn(5).isNull()) state->probability = now_.getColumn(5).getInt();
  }
  now_.tryReset();
  return state;
}

void CapabilityStore::End(BranchId branch, IdentityKey node, CommitSeq commit) {
  RowBinder(close_)
      .Integer(static_cast<std::int64_t>(commit))
      .Integer(static_cast<std::int64_t>(branch))
      .Key(node)
      .Run();
}

void CapabilityStore::Change(BranchId branch, IdentityKey node, const CapabilityState& state,
                             CommitSeq commit) {
  End(branch, node, commit);
  const auto evidence = EvidenceText(state.evidence);
  RowBinder(open_)
      .Integer(static_cast<std::int64_t>(branch))
      .Key(node)
      .Integer(static_cast<std::int64_t>(commit))
      .Integer(static_cast<std::int64_t>(state.status))
      .Text(evidence)
      .Integer(Widen(state.max_hash_size))
      .Integer(state.adopted ? 1 : 0)
      .Integer(state.likely_legacy ? 1 : 0)
      .Integer(Widen(state.probability))
      .Run();
}

void CapabilityStore::SetCounters(IdentityKey node, const CapabilityEntry& entry, std::int64_t watermark) {
  RowBinder(counters_)
      .Key(node)
      .Integer(static_cast<std::int64_t>(entry.advert_proofs))
      .Integer(static_cast<std::int64_t>(entry.relay_proofs))
      .Integer(static_cast<std::int64_t>(entry.path_hints))
      .Time(entry.last_proof_at)
      .Integer(watermark)
      .Run();
}

std::vector<IdentityKey> CapabilityStore::ProvenBefore(UtcMillis cutoff, std::size_t limit) {
  SQLite::Statement rows(
      database_,
      "SELECT c.node_key FROM node_capability AS c JOIN capability_counters AS k USING(node_key)"
      " WHERE c.branch_id=1 AND c.to_seq IS NULL AND c.status>0 AND k.last_proof_at < ?"
      " ORDER BY c.node_key LIMIT ?");
  RowBinder row(rows);
  row.Time(cutoff).Integer(static_cast<std::int64_t>(limit));
  std::vector<IdentityKey> keys;
  while (row.Step()) keys.push_back(IdentityKey{rows.getColumn(0).getInt64()});
  return keys;
}

}  // namespace heliograph::ingestor
