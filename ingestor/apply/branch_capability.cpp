#include "ingestor/apply/branch_capability.h"

#include <map>
#include <utility>

#include "common/failpoint.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/readiness_store.h"

namespace heliograph::ingestor {
namespace {

/// As the branch sees it: what it wrote itself, or what main had at its base.
PastCapability OnBranch(CapabilityHistory& history, const Branch& branch, IdentityKey node, CommitSeq seq) {
  if (history.Wrote(branch.id, node, seq)) return history.At(branch.id, node, seq);
  return history.At(kMainBranch, node, branch.base);
}

}  // namespace

Verdict ApplyBranchCapability(const ApplyContext& context, const queue::QueueFile& file,
                              const MultibyteSnapshot& snapshot) {
  SQLite::Database& database = context.store.database();
  const auto branch = BranchStore(database).Find(BranchId{file.envelope.branch_id});
  if (!branch) return Verdict::Of(Outcome::kRejected, "the branch is gone");
  CapabilityHistory history(database);
  CapabilityStore capabilities(database);
  CommitFacts facts;
  facts.branch = branch->id;
  facts.kind = "snapshot";
  facts.stream = file.envelope.stream;
  facts.actor = file.envelope.actor;
  facts.authored_at = file.envelope.created_at;
  facts.ledger_id = file.envelope.id.ToText();
  facts.watermark = file.envelope.watermark;
  facts.digest = ToHexLower(file.envelope.payload_sha256);
  std::vector<std::pair<IdentityKey, CapabilityState>> changes;
  for (const CapabilityEntry& entry : snapshot.entries) {
    const auto node = context.store.identities().Find(entry.public_key);
    if (!node || !IsNode(database, *node)) continue;
    const PastCapability stored = OnBranch(history, *branch, *node, branch->head);
    const CapabilityState merged = Merge(stored.value_or(CapabilityState{}), entry);
    if (merged == stored.value_or(CapabilityState{})) continue;
    ++(stored ? facts.updated : facts.inserted);
    changes.emplace_back(*node, merged);
  }
  ReadinessStore readiness(database);
  std::map<std::string, std::optional<std::string>> figures;
  if (snapshot.readiness)
    figures = ChangedFigures(readiness.Seen(branch->id, branch->base), Rounded(*snapshot.readiness));
  if (changes.empty() && figures.empty())
    return Verdict::Of(Outcome::kNoop, "nothing that is versioned differs on " + branch->name);
  const CommitSeq commit = context.store.commits().Begin(facts, context.now);
  for (const auto& [node, state] : changes) capabilities.Change(branch->id, node, state, commit);
  for (const auto& [region, text] : figures) readiness.Change(branch->id, region, text, commit);
  context.store.commits().MoveHead(branch->id, commit);
  Verdict verdict =
      Verdict::Of(Outcome::kApplied, std::to_string(changes.size()) + " nodes differ on " + branch->name);
  verdict.commit = commit;
  return verdict;
}

CapabilityMergePlan PlanCapabilityMerge(SQLite::Database& database, const Branch& branch,
                                        const CommonAncestor& ancestor, CommitSeq main_head, MergeSide side) {
  CapabilityHistory history(database);
  CapabilityMergePlan plan;
  for (const IdentityKey node : history.TouchedAfter(branch.id, ancestor.on_branch)) {
    if (!IsNode(database, node)) continue;
    const PastCapability on_branch = OnBranch(history, branch, node, branch.head);
    const PastCapability main_now = history.At(kMainBranch, node, main_head);
    const PastCapability common = history.At(kMainBranch, node, ancestor.on_main);
    if (on_branch == main_now || on_branch == common) continue;
    if (main_now != common) {
      plan.conflicts.push_back(node);
      if (side != MergeSide::kBranch) continue;
    }
    plan.changes.push_back({node, main_now, on_branch});
  }
  return plan;
}

void MergeCapability(const ApplyContext& context, const CapabilityMergePlan& plan, CommitSeq commit) {
  CapabilityStore capabilities(context.store.database());
  for (std::size_t i = 0; i < plan.changes.size(); ++i) {
    if (i == plan.changes.size() / 2) HELIOGRAPH_FAILPOINT(kBranchMergeMiddle);
    const auto& change = plan.changes[i];
    const CapabilityState now = change.after.value_or(CapabilityState{});
    if (change.after) {
      capabilities.Change(kMainBranch, change.node, now, commit);
    } else {
      capabilities.End(kMainBranch, change.node, commit);
    }
    context.store.nodes().SetCapability(change.node, now.status, now.evidence);
  }
}

}  // namespace heliograph::ingestor
