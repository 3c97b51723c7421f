#include <utility>
#include <vector>

#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/store/capability_history.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/commit_lookup.h"

namespace heliograph::ingestor {
namespace {

struct Undo {
  IdentityKey node;
  PastCapability before;
};

/// What undoes the commit, or the first node that stands against it.
struct Plan {
  std::vector<Undo> undos;
  std::optional<IdentityKey> moved_on, removed;
};

Plan PlanOf(SQLite::Database& database, const NamedCommit& commit, CommitSeq head) {
  CapabilityHistory history(database);
  Plan plan;
  for (const IdentityKey node : history.TouchedBy(commit.seq)) {
    if (history.At(kMainBranch, node, head) != history.At(kMainBranch, node, commit.seq)) {
      plan.moved_on = node;
      return plan;
    }
    if (!IsNode(database, node)) {
      plan.removed = node;
      return plan;
    }
    plan.undos.push_back({node, history.At(kMainBranch, node, *commit.parent)});
  }
  return plan;
}

void CarryOut(const ApplyContext& context, const std::vector<Undo>& undos, CommitSeq commit) {
  CapabilityStore capabilities(context.store.database());
  for (std::size_t i = 0; i < undos.size(); ++i) {
    if (i == undos.size() / 2) HELIOGRAPH_FAILPOINT(kRevertMiddle);
    const auto& [node, before] = undos[i];
    if (before) {
      capabilities.Change(kMainBranch, node, *before, commit);
    } else {
      capabilities.End(kMainBranch, node, commit);
    }
    const CapabilityState now = before.value_or(CapabilityState{});
    context.store.nodes().SetCapability(node, now.status, now.evidence);
  }
}

}  // namespace

Verdict ApplyRevert(const ApplyContext& context, const queue::QueueFile& file) {
  const auto request = ObjectOf(file.payload);
  if (!request) return Verdict::Of(Outcome::kRejected, request.error());
  const auto name = TextOf(*request, "commit");
  if (!name) return Verdict::Of(Outcome::kRejected, name.error());
  SQLite::Database& database = context.store.database();
  const auto commit = LookUpCommit(database, *name);
  if (!commit) return Verdict::Of(Outcome::kRejected, commit.error());
  if (commit->branch != kMainBranch || !commit->parent)
    return Verdict::Of(Outcome::kRejected, "only commits of main can be reverted, and not the first");
  if (*commit->parent < HistoryFloor(database))
    return Verdict::Of(Outcome::kRejected, "the state before commit " + *name + " is no longer kept");

  const Plan plan = PlanOf(database, *commit, context.store.commits().Head(kMainBranch));
  if (plan.moved_on) {
    return Verdict::Of(Outcome::kConflict, "node " + NodeText(database, *plan.moved_on) +
                                               " has changed since commit " + *name +
                                               "; revert the later commits first");
  }
  if (plan.removed) {
    return Verdict::Of(Outcome::kConflict, "node " + NodeText(database, *plan.removed) +
                                               " was removed, and cannot be brought back");
  }
  if (plan.undos.empty())
    return Verdict::Of(Outcome::kRejected, "commit " + *name + " changed nothing that can be reverted");
  CommitFacts facts;
  facts.kind = "revert";
  facts.stream = commit->stream;
  facts.actor = file.envelope.actor;
  facts.authored_at = file.envelope.created_at;
  facts.ledger_id = file.envelope.id.ToText();
  for (const Undo& undo : plan.undos) ++(undo.before ? facts.updated : facts.removed);
  const CommitSeq revert = context.store.commits().Begin(facts, context.now);
  CarryOut(context, plan.undos, revert);
  context.store.commits().MoveHead(kMainBranch, revert);
  Verdict verdict = Verdict::Of(Outcome::kApplied, "commit " + *name + " is reverted for " +
                                                       std::to_string(plan.undos.size()) + " nodes");
  verdict.commit = revert;
  return verdict;
}

}  // namespace heliograph::ingestor
