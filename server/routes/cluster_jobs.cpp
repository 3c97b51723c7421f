#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "server/clusters/job_desk.h"
#include "server/history/as_of.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/cluster_request.h"
#include "server/routes/clusters.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/ledger_entry.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/request_body.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::int64_t kLargestPage = 500;

/// A job as it is told: its row, or what this process knows and the database does not yet.
struct JobRow {
  std::string id, branch, collection, kind, state, trigger, requested_by, parameters, statistics;
  UtcMillis requested_at{};
  std::optional<UtcMillis> started_at, finished_at;
  std::optional<std::int64_t> run;
  std::optional<std::string> error, stage;
  std::optional<double> progress;
};

constexpr const char* kColumns =
    "SELECT job_id, collection, kind, state, trigger_kind, requested_by, parameters, statistics, "
    "requested_at,"
    " started_at, finished_at, run_id, error, name FROM (SELECT j.*, b.name FROM cluster_jobs AS j JOIN "
    "branch AS b "
    "USING(branch_id))";

JobRow ReadRow(SQLite::Statement& row) {
  JobRow job;
  job.id = row.getColumn(0).getString();
  job.collection = row.getColumn(1).getString();
  job.kind = row.getColumn(2).getString();
  job.state = row.getColumn(3).getString();
  job.trigger = row.getColumn(4).getString();
  job.requested_by = row.getColumn(5).getString();
  job.parameters = row.getColumn(6).getString();
  job.statistics = row.getColumn(7).getString();
  job.requested_at = TimeOf(row.getColumn(8));
  job.started_at = OptionalTimeOf(row.getColumn(9));
  job.finished_at = OptionalTimeOf(row.getColumn(10));
  job.run = NumberOf(row.getColumn(11));
  job.error = TextOf(row.getColumn(12));
  job.branch = row.getColumn(13).getString();
  return job;
}

JobRow RowOf(const ClusterJobView& view) {
  const ClusterJob& job = view.job;
  JobRow row;
  row.id = job.id.ToText();
  row.branch = view.branch;
  row.collection = Name(job.collection);
  row.kind = Name(job.kind);
  row.state = Name(job.state);
  row.trigger = Name(job.trigger);
  row.requested_by = job.requested_by;
  row.parameters = job.parameters;
  row.statistics = job.statistics;
  row.requested_at = job.requested_at;
  row.started_at = job.started_at;
  row.finished_at = job.finished_at;
  if (!job.error.empty()) row.error = job.error;
  if (IsFinished(job.state)) return row;
  row.stage = view.stage;
  row.progress = view.progress;
  return row;
}

/// What this process knows laid over the rows: a finished row is the last word, everything else is older than
/// memory.
std::vector<JobRow> Overlaid(std::vector<JobRow> rows, const std::vector<JobRow>& known) {
  for (const JobRow& own : known) {
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const JobRow& each) { return each.id == own.id; });
    if (row == rows.end()) {
      rows.push_back(own);
    } else if (!row->finished_at) {
      *row = own;
    }
  }
  std::sort(rows.begin(), rows.end(), [](const JobRow& a, const JobRow& b) { return a.id > b.id; });
  return rows;
}

/// Which jobs are wanted; empty: all.
struct JobFilter {
  std::string collection, branch;
};

std::vector<JobRow> KnownJobs(const RouteContext& context, const JobFilter& filter) {
  std::vector<JobRow> known;
  if (context.services().cluster_jobs == nullptr) return known;
  for (const ClusterJobView& view : context.services().cluster_jobs->Jobs()) {
    JobRow row = RowOf(view);
    if ((filter.collection.empty() || row.collection == filter.collection) &&
        (filter.branch.empty() || row.branch == filter.branch))
      known.push_back(std::move(row));
  }
  return known;
}

void WriteJob(JsonText& out, const JobRow& job) {
  out.BeginObject()
      .Member("id", job.id)
      .Member("branch", job.branch)
      .Member("collection", job.collection)
      .Member("kind", job.kind)
      .Member("state", job.state)
      .Member("trigger", job.trigger)
      .Member("requested_by", job.requested_by)
      .Key("parameters")
      .Raw(job.parameters)
      .Member("requested_at", job.requested_at)
      .Member("started_at", job.started_at)
      .Member("finished_at", job.finished_at)
      .Member("stage", job.stage)
      .Member("progress", job.progress)
      .Member("run", job.run)
      .Member("error", job.error)
      .Key("statistics")
      .Raw(job.statistics)
      .EndObject();
}

ClusterJobDesk& DeskOf(const RouteContext& context) {
  if (context.services().cluster_jobs == nullptr)
    throw ProblemError(503, "this server computes no clusters, so that there are no jobs to ask for");
  return *context.services().cluster_jobs;
}

ClusterJobOrder ReadOrder(const Request& request, const RouteContext& context) {
  const nlohmann::json body = request.body.empty() ? nlohmann::json::object() : ObjectInBody(request);
  ClusterJobOrder order;
  const auto collection = ParseClusterCollection(OptionalText(body, "collection").value_or("mesh"));
  if (!collection) throw ProblemError(400, "collection is neither mesh nor items");
  order.collection = *collection;
  const auto kind = ParseClusterJobKind(OptionalText(body, "kind").value_or("run"));
  if (!kind) throw ProblemError(400, "kind is neither run nor choose-resolution");
  order.kind = *kind;
  if (const auto parameters = body.find("parameters"); parameters != body.end() && !parameters->is_null()) {
    if (!parameters->is_object()) throw ProblemError(400, "parameters is no object");
    order.parameters = parameters->dump();
    if (order.parameters.size() > kMaxClusterParameters) throw ProblemError(400, "parameters is too long");
  }
  order.requested_by = ActorIn(body);
  const std::string branch = OptionalText(body, "branch").value_or("main");
  order.line =
      context.services().readers->Read([&](ReaderConnection& reader) { return BranchNamed(reader, branch); });
  return order;
}

Response Ask(const Request& request, const RouteContext& context) {
  const JobSubmission submission = DeskOf(context).Submit(ReadOrder(request, context));
  const std::string id = submission.job.job.id.ToText();
  JsonText out;
  out.BeginObject()
      .Member("id", id)
      .Member("requestId", id)
      .Member("statusUrl", "/api/cluster-jobs/" + id)
      .Member("coalesced", submission.coalesced)
      .Member("rerun", submission.job.rerun)
      .Key("job");
  WriteJob(out, RowOf(submission.job));
  out.EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

JobRow FindJob(const RouteContext& context, const Ulid& id) {
  auto rows = context.services().readers->Read([&](ReaderConnection& reader) {
    SQLite::Statement& row = reader.Prepared(std::string(kColumns) + " WHERE job_id=?");
    row.bind(1, id.ToText());
    std::vector<JobRow> found;
    if (row.executeStep()) found.push_back(ReadRow(row));
    return found;
  });
  auto known = KnownJobs(context, {});
  std::erase_if(known, [&](const JobRow& job) { return job.id != id.ToText(); });
  rows = Overlaid(std::move(rows), known);
  if (rows.empty()) throw ProblemError(404, "there is no job " + id.ToText());
  return rows.front();
}

JobFilter ReadFilter(const Request& request) {
  JobFilter filter;
  const std::string* collection = request.FindQuery("collection");
  if (collection != nullptr && !collection->empty()) filter.collection = Name(CollectionParameter(request));
  if (const std::string* branch = request.FindQuery("branch")) filter.branch = *branch;
  return filter;
}

std::string BuildList(const Request& request, const RouteContext& context) {
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kLargestPage}));
  const JobFilter filter = ReadFilter(request);
  std::string before = "Z";  // above every ULID
  if (const auto cursor = CursorParameter(request, "cluster-jobs", 1)) {
    const auto* last = std::get_if<std::string>(&cursor->front());
    if (last == nullptr) throw ProblemError(400, "cursor: this is no cursor of this list");
    before = *last;
  }
  std::int64_t total = 0;
  auto rows = context.services().readers->Read([&](ReaderConnection& reader) {
    SQLite::Statement& count = reader.Prepared(
        "SELECT count(*) FROM cluster_jobs JOIN branch USING(branch_id) WHERE (?1='' OR "
        "collection=?1) AND (?2='' OR name=?2)");
    count.bind(1, filter.collection);
    count.bind(2, filter.branch);
    count.executeStep();
    total = count.getColumn(0).getInt64();
    SQLite::Statement& page = reader.Prepared(
        std::string(kColumns) +
        " WHERE (?1='' OR collection=?1) AND (?2='' OR name=?2) AND job_id<?3 ORDER BY job_id "
        "DESC LIMIT ?4");
    page.bind(1, filter.collection);
    page.bind(2, filter.branch);
    page.bind(3, before);
    page.bind(4, static_cast<std::int64_t>(limit + 1));
    std::vector<JobRow> found;
    while (page.executeStep()) found.push_back(ReadRow(page));
    return found;
  });
  auto known = KnownJobs(context, filter);
  const bool whole = rows.size() <= limit;
  std::erase_if(known,
                [&](const JobRow& job) { return job.id >= before || (!whole && job.id < rows.back().id); });
  const std::size_t stored = rows.size();
  rows = Overlaid(std::move(rows), known);
  total += static_cast<std::int64_t>(rows.size() - stored);
  JsonText out;
  out.BeginObject().Key("jobs").BeginArray();
  const std::size_t shown = std::min(limit, rows.size());
  for (std::size_t i = 0; i < shown; ++i) WriteJob(out, rows[i]);
  out.EndArray().Member("total", total);
  std::optional<std::string> next;
  if (shown < rows.size() && shown > 0) {
    const CursorField last = rows[shown - 1].id;
    next = EncodeCursor("cluster-jobs", {&last, 1});
  }
  out.Member("next", next).EndObject();
  return std::move(out).Take();
}

Response CancelJob(const Request& request, const RouteContext& context) {
  const Ulid id = ReadRequestId(request.PathParameter("id"));
  switch (DeskOf(context).Cancel(id)) {
    case CancelOutcome::kCancelled:
      break;
    case CancelOutcome::kFinished:
      throw ProblemError(409, "the job is finished already");
    case CancelOutcome::kTooLate:
      throw ProblemError(409, "the run of the job is published already, and will be applied");
    case CancelOutcome::kUnknown:
      FindJob(context, id);  // 404 for one that nobody knows
      throw ProblemError(409, "the job is not one of this server's, and cannot be cancelled here");
  }
  JsonText out;
  out.BeginObject()
      .Member("id", id.ToText())
      .Member("statusUrl", "/api/cluster-jobs/" + id.ToText())
      .EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

Route AskRoute(const RouteContext& context) {
  Route route;
  route.method = Method::kPost;
  route.path = "/api/cluster-jobs";
  route.tag = "clusters";
  route.summary =
      "Asks for a run, or for the choice of the resolution. While a job that does the same waits or runs, "
      "there is no"
      " second one on the branch: the answer names that one with coalesced, and one that runs is followed by "
      "another.";
  route.request_body =
      "JSON with collection (mesh), kind (run or choose-resolution), parameters, branch (main; the run "
      "begins "
      "from what that branch has, and changes it alone), actor; all optional.";
  route.responses = {{202, "Accepted; statusUrl tells how it goes.", "application/json"},
                     ProblemDoc(400, "The order makes no sense."),
                     ProblemDoc(404, "No such branch."),
                     ProblemDoc(503, "Too many jobs wait.")};
  route.access = Access::kWrite;
  route.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return Ask(request, context); });
  return route;
}

Route ListRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/cluster-jobs";
  route.tag = "clusters";
  route.summary = "Jobs, newest first, those that only the server knows so far among them.";
  route.parameters = {TextDoc("collection", "Only those of this collection.", {"mesh", "items"}),
                      TextDoc("branch", "Only those on the branch of this name, deleted ones too."),
                      LimitDoc(kDefaultPage, kLargestPage), CursorDoc()};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildList(request, context));
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/cluster-jobs/{id}";
  route.tag = "clusters";
  route.summary = "One job: its state, how far it is, and what came of it.";
  route.parameters = {PathDoc("id", "The id of the answer to the post.")};
  route.responses = {{200, "The job.", "application/json"}, ProblemDoc(404, "No such job.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    JsonText out;
    WriteJob(out, FindJob(context, ReadRequestId(request.PathParameter("id"))));
    return TaggedJson(request, std::move(out).Take());
  });
  return route;
}

Route CancelRoute(const RouteContext& context) {
  Route route;
  route.method = Method::kDelete;
  route.path = "/api/cluster-jobs/{id}";
  route.tag = "clusters";
  route.summary = "Cancels a job that waits or runs.";
  route.parameters = {PathDoc("id", "The id of the answer to the post.")};
  route.responses = {{202, "It will end as cancelled.", "application/json"},
                     ProblemDoc(404, "No such job."),
                     ProblemDoc(409, "It is finished, or its run is published.")};
  route.access = Access::kWrite;
  route.handler = WhenReady(
      context, [context](const Request& request, const MeshView&) { return CancelJob(request, context); });
  return route;
}

}  // namespace

void RegisterClusterJobRoutes(Router& router, const RouteContext& context) {
  router.Add(AskRoute(context));
  router.Add(ListRoute(context));
  router.Add(DetailRoute(context));
  router.Add(CancelRoute(context));
}

}  // namespace heliograph::server
