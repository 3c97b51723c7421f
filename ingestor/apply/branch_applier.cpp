#include <algorithm>
#include <string>

#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/branch_capability.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/store/branch_store.h"
#include "ingestor/store/commit_lookup.h"

namespace heliograph::ingestor {
namespace {

/// Conflicts that an outcome names one by one.
constexpr std::size_t kNamedConflicts = 100;

Verdict Rejected(const std::string& why) {
  return Verdict::Of(Outcome::kRejected, why);
}

std::int64_t Number(CommitSeq seq) {
  return static_cast<std::int64_t>(seq);
}

Verdict Create(const ApplyContext& context, const queue::QueueFile& file, const nlohmann::json& request,
               const std::string& name) {
  SQLite::Database& database = context.store.database();
  if (!IsHistoryName(name))
    return Rejected("a branch's name has 1 to 64 of the characters a-z, 0-9, '.', '_' and '-'");
  BranchStore branches(database);
  if (name == "main" || branches.Find(name))
    return Verdict::Of(Outcome::kConflict, "there is a branch " + name + " already");
  const auto from = OptionalTextOf(request, "from");
  if (!from) return Rejected(from.error());
  CommitSeq base = context.store.commits().Head(kMainBranch);
  if (*from) {
    const auto commit = LookUpCommit(database, **from);
    if (!commit) return Rejected(commit.error());
    if (commit->branch != kMainBranch)
      return Rejected("a branch can only begin on main, and " + **from + " is not");
    base = commit->seq;
  } else if (base < HistoryFloor(database)) {
    return Rejected("main has no commit that is kept");
  }
  const BranchId id = branches.Create(name, base, file.envelope.actor, context.now);
  HELIOGRAPH_FAILPOINT(kBranchAfterInsert);
  Verdict verdict =
      Verdict::Of(Outcome::kDone, "branch " + name + " begins at commit " + std::to_string(Number(base)));
  verdict.result =
      nlohmann::json{{"branch_id", static_cast<std::int64_t>(id)}, {"base_seq", Number(base)}}.dump();
  return verdict;
}

Verdict Delete(const ApplyContext& context, const std::string& name) {
  if (name == "main") return Rejected("main cannot be deleted");
  BranchStore branches(context.store.database());
  const auto branch = branches.Find(name);
  if (!branch) return Verdict::Of(Outcome::kNoop, "there is no branch " + name);
  branches.Delete(branch->id, context.now);
  HELIOGRAPH_FAILPOINT(kBranchAfterDeleteFlip);
  return Verdict::Of(Outcome::kDone, "branch " + name + " is deleted");
}

tl::expected<MergeSide, std::string> SideOf(const nlohmann::json& request) {
  const auto text = OptionalTextOf(request, "side");
  if (!text) return tl::unexpected(text.error());
  if (!*text) return MergeSide::kNone;
  if (**text == "branch") return MergeSide::kBranch;
  if (**text == "main") return MergeSide::kMain;
  return tl::unexpected(std::string("side must be branch or main"));
}

Verdict Conflict(SQLite::Database& database, const Branch& branch, const CapabilityMergePlan& plan,
                 const CommonAncestor& ancestor, CommitSeq head) {
  nlohmann::json entities = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min(plan.conflicts.size(), kNamedConflicts); ++i)
    entities.push_back({{"kind", "node"}, {"id", NodeText(database, plan.conflicts[i])}});
  Verdict verdict = Verdict::Of(
      Outcome::kConflict, "main and " + branch.name + " have both changed " +
                              std::to_string(plan.conflicts.size()) + " nodes since commit " +
                              std::to_string(Number(ancestor.on_main)) + "; choose a side: branch or main");
  verdict.result =
      nlohmann::json{{"stream", "multibyte"},           {"conflicts", plan.conflicts.size()},
                     {"entities", std::move(entities)}, {"ancestor_seq", Number(ancestor.on_main)},
                     {"main_seq", Number(head)},        {"branch_seq", Number(branch.head)}}
          .dump();
  return verdict;
}

Verdict Merge(const ApplyContext& context, const queue::QueueFile& file, const nlohmann::json& request,
              const std::string& name) {
  SQLite::Database& database = context.store.database();
  const auto side = SideOf(request);
  if (!side) return Rejected(side.error());
  BranchStore branches(database);
  const auto branch = branches.Find(name);
  if (!branch) return Rejected("there is no branch " + name);
  const CommonAncestor ancestor = branches.AncestorOf(*branch);
  const CommitSeq head = context.store.commits().Head(kMainBranch);
  if (ancestor.on_main < HistoryFloor(database))
    return Rejected("the commit that both have in common is no longer kept");
  const auto plan = PlanCapabilityMerge(database, *branch, ancestor, head, *side);
  if (!plan.conflicts.empty() && *side == MergeSide::kNone)
    return Conflict(database, *branch, plan, ancestor, head);
  if (plan.changes.empty()) return Verdict::Of(Outcome::kNoop, "main has everything of " + name + " already");

  CommitFacts facts;
  facts.kind = "merge";
  facts.stream = "multibyte";
  facts.actor = file.envelope.actor;
  facts.authored_at = file.envelope.created_at;
  facts.ledger_id = file.envelope.id.ToText();
  facts.merged_parent = branch->head;
  for (const auto& change : plan.changes)
    ++(!change.before ? facts.inserted : change.after ? facts.updated : facts.removed);
  const CommitSeq commit = context.store.commits().Begin(facts, context.now);
  MergeCapability(context, plan, commit);
  context.store.commits().MoveHead(kMainBranch, commit);
  Verdict verdict =
      Verdict::Of(Outcome::kApplied, std::to_string(plan.changes.size()) + " nodes taken from " + name);
  verdict.commit = commit;
  verdict.result =
      nlohmann::json{{"changed", plan.changes.size()}, {"conflicts", plan.conflicts.size()}}.dump();
  return verdict;
}

}  // namespace

Verdict ApplyBranchRequest(const ApplyContext& context, const queue::QueueFile& file) {
  const auto request = ObjectOf(file.payload);
  if (!request) return Rejected(request.error());
  const auto action = TextOf(*request, "action");
  const auto name = TextOf(*request, "name");
  if (!action) return Rejected(action.error());
  if (!name) return Rejected(name.error());
  if (*action == "create") return Create(context, file, *request, *name);
  if (*action == "delete") return Delete(context, *name);
  if (*action == "merge") return Merge(context, file, *request, *name);
  return Rejected("action must be create, delete or merge");
}

}  // namespace heliograph::ingestor
