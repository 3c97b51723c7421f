#include <map>
#include <vector>

#include "common/failpoint.h"
#include "common/multibyte_snapshot.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/branch_capability.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/readiness_store.h"

namespace heliograph::ingestor {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

/// An entry whose proofs have aged out says nothing.
bool IsTooOld(const CapabilityEntry& entry, const ApplyContext& context) {
  const auto now = context.store.data_time(context.now);
  if (!context.capability_age_out_days || !now || !entry.last_proof_at) return false;
  const auto age = *now - *entry.last_proof_at;
  return age.count() > *context.capability_age_out_days * kDayMs;
}

struct Change {
  IdentityKey node;
  CapabilityState state;
};

struct Plan {
  std::vector<Change> changes;
  std::vector<std::pair<IdentityKey, const CapabilityEntry*>> known;
  std::map<std::string, std::optional<std::string>> figures;  ///< of readiness, by region
  std::int64_t inserted = 0, updated = 0, unknown_nodes = 0;

  bool empty() const { return changes.empty() && figures.empty(); }
};

bool IsNode(SQLite::Database& database, IdentityKey key) {
  SQLite::Statement row(
      database,
      "SELECT 1 FROM nodes WHERE node_key=?1 UNION ALL SELECT 1 FROM inactive_nodes WHERE node_key=?1");
  row.bind(1, static_cast<std::int64_t>(key));
  return row.executeStep();
}

Plan Compare(const ApplyContext& context, CapabilityStore& capabilities, const MultibyteSnapshot& snapshot) {
  Plan plan;
  for (const CapabilityEntry& entry : snapshot.entries) {
    const auto key = context.store.identities().Find(entry.public_key);
    if (!key || !IsNode(context.store.database(), *key)) {
      ++plan.unknown_nodes;
      continue;
    }
    plan.known.emplace_back(*key, &entry);
    if (IsTooOld(entry, context)) continue;
    const auto stored = capabilities.Now(kMainBranch, *key);
    const CapabilityState merged = Merge(stored.value_or(CapabilityState{}), entry);
    if (merged == stored.value_or(CapabilityState{})) continue;
    ++(stored ? plan.updated : plan.inserted);
    plan.changes.push_back({*key, merged});
  }
  return plan;
}

}  // namespace

Verdict ApplyMultibyteSnapshot(const ApplyContext& context, const queue::QueueFile& file) {
  const auto snapshot = DecodeMultibyteSnapshot(file.payload);
  if (!snapshot) return Verdict::Of(Outcome::kRejected, snapshot.error());
  if (file.envelope.branch_id != static_cast<std::int64_t>(kMainBranch))
    return ApplyBranchCapability(context, file, *snapshot);

  CapabilityStore capabilities(context.store.database());
  ReadinessStore readiness(context.store.database());
  Plan plan = Compare(context, capabilities, *snapshot);
  if (snapshot->readiness)
    plan.figures = ChangedFigures(readiness.Now(kMainBranch), Rounded(*snapshot->readiness));
  const std::string unknown =
      plan.unknown_nodes > 0 ? ", " + std::to_string(plan.unknown_nodes) + " entries name no node" : "";
  for (const auto& [key, entry] : plan.known) {
    if (entry->last_proof_at) capabilities.SetCounters(key, *entry, file.envelope.watermark);
  }
  if (plan.empty()) return Verdict::Of(Outcome::kNoop, "nothing that is versioned differs" + unknown);

  const CommitSeq commit = context.store.commits().Begin(
      {kMainBranch, "snapshot", file.envelope.stream, file.envelope.actor, file.envelope.created_at,
       file.envelope.id.ToText(), file.envelope.watermark, ToHexLower(file.envelope.payload_sha256),
       plan.inserted, plan.updated, 0},
      context.now);
  for (std::size_t i = 0; i < plan.changes.size(); ++i) {
    const Change& change = plan.changes[i];
    if (i == plan.changes.size() / 2) HELIOGRAPH_FAILPOINT(kApplyMiddleOfRows);
    capabilities.Change(kMainBranch, change.node, change.state, commit);
    context.store.nodes().SetCapability(change.node, change.state.status, change.state.evidence);
  }
  for (const auto& [region, figures] : plan.figures) readiness.Change(kMainBranch, region, figures, commit);
  context.store.commits().MoveHead(kMainBranch, commit);
  const std::string regions =
      plan.figures.empty() ? "" : ", readiness of " + std::to_string(plan.figures.size()) + " scopes changed";
  Verdict verdict =
      Verdict::Of(Outcome::kApplied, std::to_string(plan.inserted) + " nodes new, " +
                                         std::to_string(plan.updated) + " changed" + regions + unknown);
  verdict.commit = commit;
  return verdict;
}

}  // namespace heliograph::ingestor
