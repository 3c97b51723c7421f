#include <algorithm>
#include <deque>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/apply/run_application.h"
#include "ingestor/apply/staged_file.h"
#include "ingestor/store/capability_history.h"
#include "ingestor/store/capability_store.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/commit_lookup.h"

namespace heliograph::ingestor {
namespace {

struct Undo {
  IdentityKey node;
  PastCapability before;
};

/// What undoes a commit as a whole: nothing of it is carried out when one part cannot be.
struct Plan {
  NamedCommit commit;
  std::string name;  ///< as the request has it
  std::vector<Undo> undos;
  std::vector<RunKey> runs;  ///< that were active before, and come again

  bool empty() const { return undos.empty() && runs.empty(); }
};

using PlanOrVerdict = tl::expected<Plan, Verdict>;

tl::unexpected<Verdict> Refused(Outcome outcome, std::string why) {
  return tl::unexpected(Verdict::Of(outcome, std::move(why)));
}

std::string Text(RunKey run) {
  return std::to_string(static_cast<std::int64_t>(run));
}

/// Adds the nodes that the commit changed, or says which of them stands against it.
std::optional<Verdict> AddNodes(SQLite::Database& database, CommitSeq head, Plan& plan) {
  CapabilityHistory history(database);
  for (const IdentityKey node : history.TouchedBy(plan.commit.seq)) {
    if (history.At(kMainBranch, node, head) != history.At(kMainBranch, node, plan.commit.seq)) {
      return Verdict::Of(Outcome::kConflict, "node " + NodeText(database, node) +
                                                 " has changed since commit " + plan.name +
                                                 "; revert the later commits first");
    }
    if (!IsNode(database, node))
      return Verdict::Of(Outcome::kConflict,
                         "node " + NodeText(database, node) + " was removed, and cannot be brought back");
    plan.undos.push_back({node, history.At(kMainBranch, node, *plan.commit.parent)});
  }
  return std::nullopt;
}

/// Adds the runs that were active before those of the commit, or says why they cannot be so again.
std::optional<Verdict> AddRuns(SQLite::Database& database, CommitSeq head, Plan& plan) {
  ClusterRunStore runs(database);
  for (const ClusterCollection collection : {ClusterCollection::kMesh, ClusterCollection::kItems}) {
    const auto brought = runs.OwnActiveAt(kMainBranch, collection, plan.commit.seq);
    if (!brought || brought->commit != plan.commit.seq) continue;
    const auto now = runs.OwnActiveAt(kMainBranch, collection, head);
    if (now->active != brought->active)
      return Verdict::Of(Outcome::kConflict, "run " + Text(now->active) + " of " +
                                                 std::string(Name(collection)) +
                                                 " is active since; revert the later commits first");
    const auto before = runs.OwnActiveAt(kMainBranch, collection, *plan.commit.parent);
    if (!before)
      return Verdict::Of(Outcome::kRejected, "commit " + plan.name + " brought the first run of " +
                                                 std::string(Name(collection)) +
                                                 ", and there is none to go back to");
    if (!before->is_whole)
      return Verdict::Of(Outcome::kRejected, "the members of run " + Text(before->active) +
                                                 ", which was active before, were thinned out");
    plan.runs.push_back(before->active);
  }
  return std::nullopt;
}

PlanOrVerdict PlanOf(MeshStore& store, const queue::QueueFile& file) {
  const auto request = ObjectOf(file.payload);
  if (!request) return Refused(Outcome::kRejected, request.error());
  const auto name = TextOf(*request, "commit");
  if (!name) return Refused(Outcome::kRejected, name.error());
  SQLite::Database& database = store.database();
  const auto commit = LookUpCommit(database, *name);
  if (!commit) return Refused(Outcome::kRejected, commit.error());
  if (commit->branch != kMainBranch || !commit->parent)
    return Refused(Outcome::kRejected, "only commits of main can be reverted, and not the first");
  if (*commit->parent < HistoryFloor(database))
    return Refused(Outcome::kRejected, "the state before commit " + *name + " is no longer kept");
  if (commit->kind == "edit")
    return Refused(Outcome::kRejected, "commit " + *name +
                                           " is a person's correction, which is undone, not "
                                           "reverted: POST /api/clusters/undo/" +
                                           commit->ledger_id.value_or(""));
  Plan plan{*commit, *name, {}, {}};
  const CommitSeq head = store.commits().Head(kMainBranch);
  if (auto against = AddNodes(database, head, plan)) return tl::unexpected(std::move(*against));
  if (auto against = AddRuns(database, head, plan)) return tl::unexpected(std::move(*against));
  if (plan.empty())
    return Refused(Outcome::kRejected, "commit " + *name + " changed nothing that can be reverted");
  return plan;
}

void UndoNodes(const ApplyContext& context, const std::vector<Undo>& undos, CommitSeq commit) {
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

std::string Named(const Plan& plan) {
  std::string text;
  if (!plan.undos.empty()) text = std::to_string(plan.undos.size()) + " nodes";
  for (const RunKey run : plan.runs) text += (text.empty() ? "" : ", ") + ("run " + Text(run) + " again");
  return text;
}

}  // namespace

std::vector<RunKey> RunsOfRevert(MeshStore& store, const queue::QueueFile& file) {
  const auto plan = PlanOf(store, file);
  return plan ? plan->runs : std::vector<RunKey>{};
}

Verdict ApplyRevert(const ApplyContext& context, const queue::QueueFile& file) {
  const auto plan = PlanOf(context.store, file);
  if (!plan) return plan.error();
  SQLite::Database& database = context.store.database();
  std::deque<RunApplication> applications = ApplicationsOf(context, file.envelope, plan->runs);
  LineageNumbers numbers = TrackStore(database).NextNumbers();
  for (RunApplication& application : applications) application.Match(numbers);
  CommitFacts facts;
  facts.kind = "revert";
  facts.stream = plan->commit.stream;
  facts.actor = file.envelope.actor;
  facts.authored_at = file.envelope.created_at;
  facts.ledger_id = file.envelope.id.ToText();
  for (const Undo& undo : plan->undos) ++(undo.before ? facts.updated : facts.removed);
  for (const RunApplication& application : applications) application.CountInto(facts);
  const CommitSeq revert = context.store.commits().Begin(facts, context.now);
  nlohmann::json runs = nlohmann::json::array();
  for (RunApplication& application : applications) {
    application.Write(revert);
    HELIOGRAPH_FAILPOINT(kRevertRun);
    runs.push_back(application.Statistics());
  }
  UndoNodes(context, plan->undos, revert);
  context.store.commits().MoveHead(kMainBranch, revert);
  Verdict verdict = Verdict::Of(Outcome::kApplied, "commit " + plan->name + " is reverted: " + Named(*plan));
  verdict.commit = revert;
  verdict.result = nlohmann::json{{"changed", plan->undos.size()}, {"runs", std::move(runs)}}.dump();
  return verdict;
}

}  // namespace heliograph::ingestor
