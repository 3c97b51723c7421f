#include <string>

#include "common/failpoint.h"
#include "ingestor/apply/applier.h"
#include "ingestor/apply/branch_merge.h"
#include "ingestor/apply/cluster_staging.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/store/branch_store.h"
#include "ingestor/store/commit_lookup.h"

namespace heliograph::ingestor {
namespace {

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
  context.books->Forget(branch->id);
  HELIOGRAPH_FAILPOINT(kBranchAfterDeleteFlip);
  return Verdict::Of(Outcome::kDone, "branch " + name + " is deleted");
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
  if (*action == "merge") return MergeBranch(context, file, *request, *name);
  return Rejected("action must be create, delete or merge");
}

}  // namespace heliograph::ingestor
