#include "server/routes/branches.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "server/history/branch_reader.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/branch_clusters.h"
#include "server/routes/capability_history.h"
#include "server/routes/entity_visibility.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/queued_answer.h"
#include "server/routes/request_body.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100, kMaxPage = 1000;
constexpr std::string_view kDifferenceOrder = "branch/diff";
constexpr const char* kStream = "branches";

void WriteBranch(JsonText& out, const BranchRow& branch) {
  out.BeginObject()
      .Member("name", branch.line.name)
      .Member("id", branch.line.branch_id)
      .Member("state", branch.state)
      .Member("base", branch.base_commit)
      .Member("base_seq", branch.line.base_seq)
      .Member("head", branch.head_commit)
      .Member("head_seq", branch.line.head_seq)
      .Member("commits", branch.commits)
      .Member("merged_seq", branch.merged_as)
      .Member("actor", branch.actor)
      .Member("created_at", branch.created_at)
      .Member("deleted_at", branch.deleted_at)
      .EndObject();
}

Response AnswerList(const Request& request, const RouteContext& context) {
  const bool deleted = BooleanParameter(request, "deleted").value_or(false);
  const auto branches = context.services().readers->Read(
      [&](ReaderConnection& reader) { return ReadBranches(reader, deleted); });
  JsonText out;
  out.BeginObject().Key("branches").BeginArray();
  for (const BranchRow& branch : branches) WriteBranch(out, branch);
  out.EndArray().Member("total", branches.size()).Key("next").Null().EndObject();
  return TaggedJson(request, std::move(out).Take());
}

Response AnswerOne(const Request& request, const RouteContext& context) {
  const auto branch = context.services().readers->Read(
      [&](ReaderConnection& reader) { return ReadBranch(reader, request.PathParameter("name")); });
  JsonText out;
  WriteBranch(out, branch);
  return TaggedJson(request, std::move(out).Take());
}

// Differences ----------------------------------------------------------------------------------------------

struct CapabilityCounts {
  std::int64_t confirmed = 0, suspected = 0, unknown = 0;
};

CapabilityCounts CountsAt(ReaderConnection& reader, const BranchLine& line, std::int64_t seq) {
  CapabilityCounts counts;
  for (const DatedCapability& node : CapabilitiesAt(reader, line, seq)) {
    switch (node.capability.status) {
      case CapabilityStatus::kConfirmed:
        ++counts.confirmed;
        break;
      case CapabilityStatus::kSuspected:
        ++counts.suspected;
        break;
      case CapabilityStatus::kUnknown:
        ++counts.unknown;
        break;
    }
  }
  return counts;
}

struct DiffAnswer {
  BranchRow branch;
  BranchLine main;
  std::vector<BranchDifference> differences;
  CapabilityCounts at_base, on_main, on_branch;
  ClusterDifference clusters;
};

std::optional<DifferenceCursor> ReadDifferenceCursor(const Request& request) {
  const auto fields = CursorParameter(request, kDifferenceOrder, 2);
  if (!fields) return std::nullopt;
  const auto* kind = std::get_if<std::string>(&(*fields)[0]);
  const auto* id = std::get_if<std::string>(&(*fields)[1]);
  if (kind == nullptr || id == nullptr || FindEntityKind(*kind) == nullptr)
    throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
  return DifferenceCursor{*kind, *id};
}

const EntityKind* ReadKind(const Request& request) {
  const std::string* name = request.FindQuery("entity_kind");
  if (name == nullptr || name->empty()) return nullptr;
  const EntityKind* kind = FindEntityKind(*name);
  if (kind == nullptr) throw ProblemError(400, "entity_kind: there are no entities of kind " + *name);
  return kind;
}

DiffAnswer LoadDiff(const Request& request, const RouteContext& context, const MeshView& view,
                    std::size_t limit) {
  const EntityKind* kind = ReadKind(request);
  const auto cursor = ReadDifferenceCursor(request);
  return context.services().readers->Read([&](ReaderConnection& reader) {
    DiffAnswer answer;
    answer.branch = ReadBranch(reader, request.PathParameter("name"));
    answer.main = BranchNamed(reader, "main");
    const BranchLine& line = answer.branch.line;
    if (!line.base_seq) throw ProblemError(400, "main is what branches are compared with");
    answer.differences = DifferencesOf(reader, line, answer.main, kind, cursor, limit + 1);
    answer.at_base = CountsAt(reader, answer.main, *line.base_seq);
    answer.on_main = CountsAt(reader, answer.main, answer.main.head_seq);
    answer.on_branch = CountsAt(reader, line, line.head_seq);
    answer.clusters = CompareClusters(reader, request, context, view, line, limit);
    return answer;
  });
}

void WriteCounts(JsonText& out, const char* name, const CapabilityCounts& counts) {
  out.Key(name)
      .BeginObject()
      .Member("confirmed", counts.confirmed)
      .Member("suspected", counts.suspected)
      .Member("unknown", counts.unknown)
      .EndObject();
}

void WriteDifference(JsonText& out, const BranchDifference& difference, const Visibility& visibility,
                     const MeshView& view) {
  const auto shown = [&](const std::optional<std::string>& state) {
    return state ? ShownState(visibility, view, *state) : "null";
  };
  const char* changed = !difference.main_changed ? "branch" : !difference.branch_changed ? "main" : "both";
  out.BeginObject()
      .Member("entity_kind", difference.kind->name)
      .Member("entity_id", difference.id)
      .Member("changed_on", changed)
      .Key("base")
      .Raw(shown(difference.base))
      .Key("main")
      .Raw(shown(difference.main))
      .Key("branch")
      .Raw(shown(difference.branch))
      .EndObject();
}

Response AnswerDiff(const Request& request, const RouteContext& context, const MeshView& view) {
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kMaxPage}));
  DiffAnswer answer = LoadDiff(request, context, view, limit);
  std::optional<std::string> next;
  if (answer.differences.size() > limit) {
    answer.differences.resize(limit);
    const BranchDifference& last = answer.differences.back();
    const std::vector<CursorField> key{std::string(last.kind->name), last.id};
    next = EncodeCursor(kDifferenceOrder, key);
  }
  JsonText out;
  out.BeginObject().Key("branch");
  WriteBranch(out, answer.branch);
  out.Member("main_seq", answer.main.head_seq).Key("multibyte").BeginObject();
  WriteCounts(out, "base", answer.at_base);
  WriteCounts(out, "main", answer.on_main);
  WriteCounts(out, "branch", answer.on_branch);
  out.EndObject().Key("differences").BeginArray();
  for (const BranchDifference& difference : answer.differences) {
    if (ShowsEntity(context.visibility(), view, difference.kind->name, difference.id))
      WriteDifference(out, difference, context.visibility(), view);
  }
  out.EndArray().Member("next", next).Key("clusters");
  WriteClusterDifference(out, answer.clusters);
  out.EndObject();
  return TaggedJson(request, std::move(out).Take());
}

// Requests -------------------------------------------------------------------------------------------------

Response Post(const RouteContext& context, nlohmann::ordered_json request) {
  return AnswerQueued(context, queue::Kind::kBranchRequest, kStream, request.dump());
}

Response AnswerCreate(const Request& request, const RouteContext& context) {
  const nlohmann::json body = ObjectInBody(request);
  nlohmann::ordered_json asked = {{"action", "create"}, {"name", RequiredText(body, "name")}};
  if (const auto from = OptionalText(body, "from")) asked["from"] = *from;
  return Post(context, std::move(asked));
}

Response AnswerMerge(const Request& request, const RouteContext& context) {
  nlohmann::ordered_json asked = {{"action", "merge"}, {"name", request.PathParameter("name")}};
  if (!request.body.empty()) {
    if (const auto side = OptionalText(ObjectInBody(request), "side")) {
      if (*side != "branch" && *side != "main")
        throw ProblemError(400, "side is " + *side + "; it must be branch or main");
      asked["side"] = *side;
    }
  }
  return Post(context, std::move(asked));
}

Response AnswerDelete(const Request& request, const RouteContext& context) {
  if (request.PathParameter("name") == "main") throw ProblemError(400, "main cannot be deleted");
  return Post(context, {{"action", "delete"}, {"name", request.PathParameter("name")}});
}

// Routes ---------------------------------------------------------------------------------------------------

Route Make(Method method, std::string path, std::string summary) {
  Route route;
  route.method = method;
  route.path = std::move(path);
  route.summary = std::move(summary);
  route.tag = "history";
  if (route.path.find("{name}") != std::string::npos)
    route.parameters.push_back(PathDoc("name", "The branch's name."));
  if (method != Method::kGet) {
    route.access = Access::kWrite;
    route.responses = {{202, "requestId and statusUrl, which tells the outcome.", "application/json"}};
  }
  return route;
}

void AddReads(Router& router, const RouteContext& context) {
  Route list = Make(Method::kGet, "/api/branches", "The branches, main first.");
  list.parameters = {FlagDoc("deleted", "Those that are deleted too.")};
  list.responses = {{200, "branches, total and next.", "application/json"}};
  list.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return AnswerList(request, context); });
  router.Add(std::move(list));

  Route one = Make(Method::kGet, "/api/branches/{name}", "One live branch.");
  one.responses = {{200, "The branch.", "application/json"}, ProblemDoc(404, "No such branch.")};
  one.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return AnswerOne(request, context); });
  router.Add(std::move(one));

  Route diff = Make(
      Method::kGet, "/api/branches/{name}/diff",
      "What is versioned otherwise on the branch than on main now, with the state at the branch's base, and "
      "how many nodes have which capability on each side. `clusters` compares the active runs: `measures` of "
      "both (run, number of clusters, members in and out of clusters, quality, parameters) with the adjusted "
      "Rand index of the two; in `pairs` which cluster of main corresponds to which of the branch, with the "
      "members that both share, that left and that joined it; in `moved` the members whose cluster on the "
      "branch is not the counterpart of theirs on main. `limit` bounds each of the lists.");
  diff.parameters.push_back(TextDoc("entity_kind", "Only entities of this kind: " + EntityKindNames() + "."));
  for (ParameterDoc& doc : ClusterDifferenceDocs()) diff.parameters.push_back(std::move(doc));
  diff.parameters.push_back(LimitDoc(kDefaultPage, kMaxPage));
  diff.parameters.push_back(CursorDoc());
  diff.responses = {{200, "branch, main_seq, multibyte, differences, next and clusters.", "application/json"},
                    ProblemDoc(404, "No such branch.")};
  diff.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerDiff(request, context, view);
  });
  router.Add(std::move(diff));
}

void AddWrites(Router& router, const RouteContext& context) {
  Route create = Make(Method::kPost, "/api/branches", "Begins a branch at a commit of main.");
  create.request_body =
      "{\"name\": 1 to 64 of a-z, 0-9, '.', '_' and '-', \"from\"?: a commit's id or seq:<number>; main's "
      "head unless "
      "given}";
  create.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return AnswerCreate(request, context); });
  router.Add(std::move(create));

  Route merge = Make(
      Method::kPost, "/api/branches/{name}/merge",
      "Takes over into main what the branch changed. What both have changed since they were one is a "
      "conflict, which the outcome lists, unless a side is chosen: nodes in `entities` of its result, and in "
      "`runs` each collection whose clusters both have run anew, with base_run, main_run and branch_run.");
  merge.request_body = "{\"side\"?: \"branch\" or \"main\", whose state counts where both have changed}";
  merge.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return AnswerMerge(request, context); });
  router.Add(std::move(merge));

  Route remove =
      Make(Method::kDelete, "/api/branches/{name}", "Deletes a branch; its commits stay on record.");
  remove.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return AnswerDelete(request, context); });
  router.Add(std::move(remove));
}

}  // namespace

void RegisterBranchRoutes(Router& router, const RouteContext& context) {
  AddReads(router, context);
  AddWrites(router, context);
}

}  // namespace heliograph::server
