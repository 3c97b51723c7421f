#include "ingestor/apply/branch_merge.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "common/failpoint.h"
#include "ingestor/apply/branch_capability.h"
#include "ingestor/apply/branch_clusters.h"
#include "ingestor/apply/request_payload.h"
#include "ingestor/apply/run_application.h"
#include "ingestor/apply/staged_file.h"
#include "ingestor/store/branch_store.h"
#include "ingestor/store/commit_lookup.h"

namespace heliograph::ingestor {
namespace {

/// Conflicts that an outcome names one by one.
constexpr std::size_t kNamedConflicts = 100;
constexpr const char* kCapabilityStream = "multibyte";

std::int64_t Number(CommitSeq seq) {
  return static_cast<std::int64_t>(seq);
}
nlohmann::json Number(const std::optional<RunKey>& run) {
  return run ? nlohmann::json(static_cast<std::int64_t>(*run)) : nlohmann::json();
}

/// Everything that a merge would do, and what stands against it.
struct MergePlan {
  Branch branch;
  CommonAncestor ancestor;
  CommitSeq main_head{};
  MergeSide side{};
  CapabilityMergePlan capability;
  ClusterMergePlan clusters;

  std::size_t conflicts() const { return capability.conflicts.size() + clusters.conflicts.size(); }
  bool IsRefused() const { return clusters.pruned || (conflicts() > 0 && side == MergeSide::kNone); }
  bool HasNothing() const { return conflicts() == 0 && capability.changes.empty() && clusters.takes.empty(); }
  /// Of what it changes, or decides; nothing when that is of several.
  std::optional<std::string> Stream() const;
};

std::optional<std::string> MergePlan::Stream() const {
  std::set<std::string> streams;
  if (!capability.changes.empty() || !capability.conflicts.empty()) streams.insert(kCapabilityStream);
  for (const auto* meetings : {&clusters.takes, &clusters.conflicts})
    for (const ClusterMeeting& meeting : *meetings) streams.insert(ClusterStream(meeting.collection));
  return streams.size() == 1 ? std::optional(*streams.begin()) : std::nullopt;
}

tl::expected<MergeSide, std::string> SideOf(const nlohmann::json& request) {
  const auto text = OptionalTextOf(request, "side");
  if (!text) return tl::unexpected(text.error());
  if (!*text) return MergeSide::kNone;
  if (**text == "branch") return MergeSide::kBranch;
  if (**text == "main") return MergeSide::kMain;
  return tl::unexpected(std::string("side must be branch or main"));
}

tl::expected<MergePlan, std::string> PlanOf(MeshStore& store, const nlohmann::json& request,
                                            const std::string& name) {
  SQLite::Database& database = store.database();
  const auto side = SideOf(request);
  if (!side) return tl::unexpected(side.error());
  BranchStore branches(database);
  const auto branch = branches.Find(name);
  if (!branch) return tl::unexpected("there is no branch " + name);
  MergePlan plan{*branch, branches.AncestorOf(*branch), store.commits().Head(kMainBranch), *side, {}, {}};
  if (plan.ancestor.on_main < HistoryFloor(database))
    return tl::unexpected(std::string("the commit that both have in common is no longer kept"));
  plan.capability = PlanCapabilityMerge(database, plan.branch, plan.ancestor, plan.main_head, plan.side);
  plan.clusters = PlanClusterMerge(database, plan.branch, plan.ancestor, plan.side);
  return plan;
}

nlohmann::json Shown(const std::vector<ClusterMeeting>& meetings) {
  nlohmann::json shown = nlohmann::json::array();
  for (const ClusterMeeting& meeting : meetings)
    shown.push_back({{"stream", ClusterStream(meeting.collection)},
                     {"collection", Name(meeting.collection)},
                     {"base_run", Number(meeting.base)},
                     {"main_run", Number(meeting.main)},
                     {"branch_run", Number(meeting.branch)}});
  return shown;
}

/// "3 nodes and the clusters of mesh", for as many parts as there are.
std::string Named(std::size_t nodes, const std::vector<ClusterMeeting>& meetings) {
  std::vector<std::string> parts;
  if (nodes > 0) parts.push_back(std::to_string(nodes) + (nodes == 1 ? " node" : " nodes"));
  for (const ClusterMeeting& meeting : meetings)
    parts.push_back("the clusters of " + std::string(Name(meeting.collection)));
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

Verdict Conflict(SQLite::Database& database, const MergePlan& plan) {
  nlohmann::json entities = nlohmann::json::array();
  const auto& nodes = plan.capability.conflicts;
  for (std::size_t i = 0; i < std::min(nodes.size(), kNamedConflicts); ++i)
    entities.push_back({{"kind", "node"}, {"id", NodeText(database, nodes[i])}});
  Verdict verdict =
      Verdict::Of(Outcome::kConflict, "main and " + plan.branch.name + " have both changed " +
                                          Named(nodes.size(), plan.clusters.conflicts) + " since commit " +
                                          std::to_string(Number(plan.ancestor.on_main)) +
                                          "; choose a side: branch or main");
  std::set<std::string> streams;
  if (!nodes.empty()) streams.insert(kCapabilityStream);
  for (const ClusterMeeting& meeting : plan.clusters.conflicts)
    streams.insert(ClusterStream(meeting.collection));
  verdict.result =
      nlohmann::json{{"stream", streams.size() == 1 ? nlohmann::json(*streams.begin()) : nlohmann::json()},
                     {"conflicts", plan.conflicts()},
                     {"entities", std::move(entities)},
                     {"runs", Shown(plan.clusters.conflicts)},
                     {"ancestor_seq", Number(plan.ancestor.on_main)},
                     {"main_seq", Number(plan.main_head)},
                     {"branch_seq", Number(plan.branch.head)}}
          .dump();
  return verdict;
}

/// The collections that stay as main has them although the branch has something new.
std::vector<ClusterMeeting> Kept(const MergePlan& plan) {
  return plan.side == MergeSide::kMain ? plan.clusters.conflicts : std::vector<ClusterMeeting>{};
}

std::vector<RunKey> RunsTaken(const MergePlan& plan) {
  std::vector<RunKey> runs;
  for (const ClusterMeeting& meeting : plan.clusters.takes) runs.push_back(meeting.branch);
  return runs;
}

CommitFacts FactsOf(const queue::Envelope& envelope, const MergePlan& plan) {
  CommitFacts facts;
  facts.kind = "merge";
  facts.stream = plan.Stream();
  facts.actor = envelope.actor;
  facts.authored_at = envelope.created_at;
  facts.ledger_id = envelope.id.ToText();
  facts.merged_parent = plan.branch.head;
  for (const auto& change : plan.capability.changes)
    ++(!change.before ? facts.inserted : change.after ? facts.updated : facts.removed);
  return facts;
}

Verdict Applied(const MergePlan& plan, CommitSeq commit, const std::deque<RunApplication>& applications) {
  nlohmann::json runs = nlohmann::json::array();
  for (const RunApplication& application : applications) runs.push_back(application.Statistics());
  const std::string taken = Named(plan.capability.changes.size(), plan.clusters.takes);
  Verdict verdict =
      Verdict::Of(Outcome::kApplied, taken.empty() ? "main stays as it is, and what " + plan.branch.name +
                                                         " has is recorded as considered"
                                                   : taken + " taken from " + plan.branch.name);
  verdict.commit = commit;
  verdict.result = nlohmann::json{{"changed", plan.capability.changes.size()},
                                  {"conflicts", plan.conflicts()},
                                  {"runs", std::move(runs)},
                                  {"kept", Shown(Kept(plan))}}
                       .dump();
  return verdict;
}

}  // namespace

std::vector<RunKey> RunsOfMerge(MeshStore& store, const queue::QueueFile& file) {
  const auto request = ObjectOf(file.payload);
  if (!request || TextOf(*request, "action") != "merge") return {};
  const auto name = TextOf(*request, "name");
  if (!name) return {};
  const auto plan = PlanOf(store, *request, *name);
  return plan && !plan->IsRefused() ? RunsTaken(*plan) : std::vector<RunKey>{};
}

Verdict MergeBranch(const ApplyContext& context, const queue::QueueFile& file, const nlohmann::json& request,
                    const std::string& name) {
  const auto plan = PlanOf(context.store, request, name);
  if (!plan) return Verdict::Of(Outcome::kRejected, plan.error());
  if (plan->clusters.pruned)
    return Verdict::Of(Outcome::kRejected,
                       "the members of run " + Number(plan->clusters.pruned->branch).dump() + " of " + name +
                           " were thinned out; run the clusters of the branch again, and merge then");
  if (plan->IsRefused()) return Conflict(context.store.database(), *plan);
  if (plan->HasNothing())
    return Verdict::Of(Outcome::kNoop, "main has everything of " + name + " already that a merge takes");
  std::deque<RunApplication> applications = ApplicationsOf(context, file.envelope, RunsTaken(*plan));
  LineageNumbers numbers = TrackStore(context.store.database()).NextNumbers();
  for (RunApplication& application : applications) application.Match(numbers);
  CommitFacts facts = FactsOf(file.envelope, *plan);
  for (const RunApplication& application : applications) application.CountInto(facts);
  const CommitSeq commit = context.store.commits().Begin(facts, context.now);
  for (RunApplication& application : applications) {
    application.Write(commit);
    HELIOGRAPH_FAILPOINT(kBranchMergeRun);
  }
  MergeCapability(context, plan->capability, commit);
  context.store.commits().MoveHead(kMainBranch, commit);
  return Applied(*plan, commit, applications);
}

}  // namespace heliograph::ingestor
