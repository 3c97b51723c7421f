#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/cluster_json.h"
#include "server/routes/cluster_request.h"
#include "server/routes/clusters.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/parameter_docs.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kDefaultPage = 50;
constexpr std::int64_t kLargestPage = 500;
constexpr std::int64_t kDefaultMoves = 500;
constexpr std::int64_t kLargestMoves = 5000;

struct RunRow {
  std::int64_t id = 0, branch = 1, base_seq = 0;
  std::string branch_name, collection, coverage, rule, algorithm, parameters, quality, input_digest;
  std::optional<std::string> job;
  std::int64_t watermark = 0, clusters = 0, members = 0, unclustered = 0;
  std::optional<UtcMillis> data_time;
  UtcMillis computed_at{}, applied_at{};
  std::optional<std::int64_t> previous;
  std::string commit_id;
  std::optional<bool> pruned;  ///< nothing: not told, as of a commit
  bool active = false;
};

constexpr const char* kRunColumns =
    "r.run_id, r.branch_id, r.collection, r.coverage, r.match_rule, r.algorithm, r.parameters, r.quality,"
    " lower(hex(r.input_digest)), r.job_id, r.watermark, r.cluster_count, r.member_count, "
    "r.unclustered_count,"
    " r.data_time, r.computed_at, c.committed_us / 1000, r.previous_run_id, c.commit_id, r.pruned_at IS NOT "
    "NULL,"
    " EXISTS (SELECT 1 FROM cluster_state AS s WHERE s.active_run=r.run_id), b.name, coalesce(b.base_seq, 0)"
    " FROM cluster_runs AS r JOIN commit_log AS c USING(commit_seq) JOIN branch AS b ON "
    "b.branch_id=r.branch_id";

RunRow ReadRun(Statement& row) {
  RunRow run;
  run.id = row.getColumn(0).getInt64();
  run.branch = row.getColumn(1).getInt64();
  run.collection = row.getColumn(2).getString();
  run.coverage = row.getColumn(3).getString();
  run.rule = row.getColumn(4).getString();
  run.algorithm = row.getColumn(5).getString();
  run.parameters = row.getColumn(6).getString();
  run.quality = row.getColumn(7).getString();
  run.input_digest = row.getColumn(8).getString();
  run.job = TextOf(row.getColumn(9));
  run.watermark = row.getColumn(10).getInt64();
  run.clusters = row.getColumn(11).getInt64();
  run.members = row.getColumn(12).getInt64();
  run.unclustered = row.getColumn(13).getInt64();
  run.data_time = OptionalTimeOf(row.getColumn(14));
  run.computed_at = TimeOf(row.getColumn(15));
  run.applied_at = TimeOf(row.getColumn(16));
  run.previous = NumberOf(row.getColumn(17));
  run.commit_id = row.getColumn(18).getString();
  run.pruned = row.getColumn(19).getInt() != 0;
  run.active = row.getColumn(20).getInt() != 0;
  run.branch_name = row.getColumn(21).getString();
  run.base_seq = row.getColumn(22).getInt64();
  return run;
}

void WriteRun(JsonText& out, const RunRow& run) {
  out.Member("id", run.id)
      .Member("collection", run.collection)
      .Member("branch_id", run.branch)
      .Member("branch", run.branch_name)
      .Member("active", run.active)
      .Member("coverage", run.coverage)
      .Member("match_rule", run.rule)
      .Member("algorithm", run.algorithm)
      .Key("parameters")
      .Raw(run.parameters)
      .Key("quality")
      .Raw(run.quality)
      .Member("input_digest", run.input_digest)
      .Member("watermark", run.watermark)
      .Member("data_time", run.data_time)
      .Member("job", run.job)
      .Member("clusters", run.clusters)
      .Member("members", run.members)
      .Member("unclustered", run.unclustered)
      .Member("previous_run", run.previous)
      .Member("computed_at", run.computed_at)
      .Member("applied_at", run.applied_at)
      .Member("commit", run.commit_id)
      .Member("pruned", run.pruned);
}

std::int64_t NumberInPath(const Request& request, std::string_view name) {
  const std::string& text = request.PathParameter(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    throw ProblemError(400, "'" + text + "' is no number of a run");
  return number;
}

RunRow RunNumbered(ReaderConnection& reader, std::int64_t number) {
  Statement& row = reader.Prepared(std::string("SELECT ") + kRunColumns + " WHERE r.run_id=?");
  row.bind(1, number);
  if (!row.executeStep()) throw ProblemError(404, "there is no run " + std::to_string(number));
  return ReadRun(row);
}

/// Runs that the line had by the moment: a branch's own, and main's up to its base.
constexpr const char* kOnLine =
    "r.collection=?4 AND (r.branch_id=?1 AND r.commit_seq<=?3 OR r.branch_id=1 AND r.commit_seq<=min(?2, "
    "?3))";

struct RunPage {
  AskedMoment asked;
  std::int64_t total = 0;
  std::vector<RunRow> runs;
};

RunPage LoadRuns(ReaderConnection& reader, const Request& request, std::int64_t before, std::int64_t limit) {
  const ClusterCollection collection = CollectionParameter(request);
  RunPage page;
  page.asked = ReadMoment(request, reader);
  Statement& count = reader.Prepared(std::string("SELECT count(*) FROM cluster_runs AS r WHERE ") + kOnLine);
  BindMoment(count, page.asked.moment);
  count.bind(4, std::string(Name(collection)));
  count.executeStep();
  page.total = count.getColumn(0).getInt64();
  Statement& rows = reader.Prepared(std::string("SELECT ") + kRunColumns + " WHERE " + kOnLine +
                                    " AND r.run_id<?5 ORDER BY r.run_id DESC LIMIT ?6");
  BindMoment(rows, page.asked.moment);
  rows.bind(4, std::string(Name(collection)));
  rows.bind(5, before);
  rows.bind(6, limit);
  while (rows.executeStep()) page.runs.push_back(ReadRun(rows));
  const auto active = ActiveRun(reader, page.asked.moment, collection);
  for (RunRow& run : page.runs) {
    run.active = run.id == active;
    // Later retention must not show in the past.
    if (page.asked.as_of) run.pruned.reset();
  }
  return page;
}

std::string BuildList(const Request& request, const RouteContext& context) {
  const auto limit = LimitParameter(request, {kDefaultPage, kLargestPage});
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (const auto cursor = CursorParameter(request, "cluster-runs", 1)) {
    const auto* last = std::get_if<std::int64_t>(&cursor->front());
    if (last == nullptr) throw ProblemError(400, "cursor: this is no cursor of this list");
    before = *last;
  }
  const RunPage page = context.services().readers->Read(
      [&](ReaderConnection& reader) { return LoadRuns(reader, request, before, limit + 1); });
  const std::size_t shown = std::min(page.runs.size(), static_cast<std::size_t>(limit));
  JsonText out;
  out.BeginObject().Key("runs").BeginArray();
  for (std::size_t i = 0; i < shown; ++i) {
    out.BeginObject();
    WriteRun(out, page.runs[i]);
    out.EndObject();
  }
  out.EndArray().Member("total", page.total);
  std::optional<std::string> next;
  if (shown < page.runs.size()) {
    const CursorField last = page.runs[shown - 1].id;
    next = EncodeCursor("cluster-runs", {&last, 1});
  }
  out.Member("next", next).Key("as_of");
  WriteMoment(out, page.asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

std::string BuildRun(const Request& request, const RouteContext& context) {
  const std::int64_t number = NumberInPath(request, "id");
  DecisionFilter filter;
  filter.run = number;
  filter.limit = LimitParameter(request, {kDefaultPage, kLargestPage}) + 1;
  filter.events_only = !BooleanParameter(request, "continuations").value_or(false);
  if (const auto cursor = CursorParameter(request, "run-decisions", 1)) {
    const auto* before = std::get_if<std::int64_t>(&cursor->front());
    if (before == nullptr) throw ProblemError(400, "cursor: this is no cursor of this list");
    filter.before = *before;
  }
  RunRow run;
  auto decisions = context.services().readers->Read([&](ReaderConnection& reader) {
    run = RunNumbered(reader, number);
    return DecisionsAt(reader, ClusterMoment{run.branch, run.base_seq, std::nullopt}, filter);
  });
  std::optional<std::string> next;
  if (static_cast<std::int64_t>(decisions.size()) == filter.limit) {
    decisions.pop_back();
    const CursorField last = decisions.back().id;
    next = EncodeCursor("run-decisions", {&last, 1});
  }
  JsonText out;
  out.BeginObject();
  WriteRun(out, run);
  out.Key("decisions").BeginArray();
  for (const ClusterDecision& decision : decisions) WriteDecision(out, decision);
  out.EndArray().Member("next", next).EndObject();
  return std::move(out).Take();
}

constexpr std::string_view kMemberOrder = "runs/members";
constexpr std::string_view kFlowOrder = "runs/flows";
constexpr const char* kFlowCursor = "flows_cursor";

using Track = std::optional<std::int64_t>;  ///< by its number; nothing: in no cluster

struct Mover {
  std::int64_t member = 0;
  Track from, to;
};

/// Those that are in another track in the second run than in the first, in the order of their numbers. One
/// that a run did not look at was in no cluster. Both lists are in that order.
std::vector<Mover> MoversBetween(const std::vector<MemberPlace>& first,
                                 const std::vector<MemberPlace>& second) {
  std::vector<Mover> movers;
  auto a = first.begin(), b = second.begin();
  while (a != first.end() || b != second.end()) {
    const bool from_a = a != first.end() && (b == second.end() || a->member <= b->member);
    const bool from_b = b != second.end() && (a == first.end() || b->member <= a->member);
    Mover mover{from_a ? a->member : b->member, {}, {}};
    if (from_a) mover.from = (a++)->track;
    if (from_b) mover.to = (b++)->track;
    if (mover.from != mover.to) movers.push_back(mover);
  }
  return movers;
}

/// How many went from one track to another.
struct TrackFlow {
  std::int64_t members = 0;
  Track from, to;
};

/// The greatest first.
std::vector<TrackFlow> FlowsOf(const std::vector<Mover>& movers) {
  std::map<std::pair<Track, Track>, std::int64_t> counts;
  for (const Mover& mover : movers) ++counts[{mover.from, mover.to}];
  std::vector<TrackFlow> flows;
  for (const auto& [tracks, members] : counts) flows.push_back({members, tracks.first, tracks.second});
  std::sort(flows.begin(), flows.end(), [](const TrackFlow& a, const TrackFlow& b) {
    return std::tuple(-a.members, a.from, a.to) < std::tuple(-b.members, b.from, b.to);
  });
  return flows;
}

struct RunDifference {
  RunRow a, b;
  std::int64_t moved = 0, flows_total = 0;
  struct Flow {
    std::optional<std::string> from, to;
    std::int64_t members = 0;
  };
  struct Member {
    std::string key;
    std::optional<std::string> from, to;
  };
  std::vector<Flow> flows;
  std::vector<Member> members;
  std::optional<std::string> next, flows_next;
};

std::optional<std::string> IdOf(ReaderConnection& reader, Track track) {
  if (!track) return std::nullopt;
  Statement& row = reader.Prepared("SELECT track_id FROM cluster_tracks WHERE track_key=?");
  row.reset();
  row.bind(1, *track);
  return row.executeStep() ? TextOf(row.getColumn(0)) : std::nullopt;
}

/// The number that a cursor of one holds.
std::optional<std::int64_t> NumberOfCursor(const Request& request, std::string_view list, const char* name) {
  const auto cursor = CursorParameter(request, list, 1, name);
  if (!cursor) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(&cursor->front());
  if (number == nullptr)
    throw ProblemError(400, std::string(name) + ": this is no cursor of this list; give it as it was");
  return *number;
}

void TakeFlows(RunDifference& difference, const std::vector<TrackFlow>& flows, ReaderConnection& reader,
               const Request& request, std::size_t limit) {
  difference.flows_total = static_cast<std::int64_t>(flows.size());
  // Runs never change, so that a place in the list is a cursor.
  const auto begin = static_cast<std::size_t>(std::clamp<std::int64_t>(
      NumberOfCursor(request, kFlowOrder, kFlowCursor).value_or(0), 0, difference.flows_total));
  const std::size_t end = begin + std::min(limit, flows.size() - begin);
  for (std::size_t i = begin; i < end; ++i)
    difference.flows.push_back({IdOf(reader, flows[i].from), IdOf(reader, flows[i].to), flows[i].members});
  if (end == flows.size()) return;
  const CursorField place = static_cast<std::int64_t>(end);
  difference.flows_next = EncodeCursor(kFlowOrder, {&place, 1});
}

void TakeMovers(RunDifference& difference, const std::vector<Mover>& movers, ReaderConnection& reader,
                const Request& request, std::size_t limit) {
  difference.moved = static_cast<std::int64_t>(movers.size());
  const std::int64_t after = NumberOfCursor(request, kMemberOrder, "cursor").value_or(0);
  Statement& name = reader.Prepared(difference.a.collection == Name(ClusterCollection::kMesh)
                                        ? "SELECT lower(hex(public_key)) FROM identity WHERE key=?"
                                        : "SELECT item_id FROM item_identity WHERE key=?");
  auto mover = std::upper_bound(movers.begin(), movers.end(), after,
                                [](std::int64_t member, const Mover& each) { return member < each.member; });
  for (; mover != movers.end() && difference.members.size() < limit; ++mover) {
    name.reset();
    name.bind(1, mover->member);
    if (!name.executeStep()) continue;
    difference.members.push_back(
        {name.getColumn(0).getString(), IdOf(reader, mover->from), IdOf(reader, mover->to)});
  }
  if (mover == movers.end()) return;
  const CursorField last = std::prev(mover)->member;
  difference.next = EncodeCursor(kMemberOrder, {&last, 1});
}

RunDifference Compare(ReaderConnection& reader, const Request& request, const RouteContext& context,
                      const MeshView& view) {
  const std::int64_t first = NumberInPath(request, "a"), second = NumberInPath(request, "b");
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultMoves, kLargestMoves}));
  RunDifference difference;
  difference.a = RunNumbered(reader, first);
  difference.b = RunNumbered(reader, second);
  if (difference.a.collection != difference.b.collection)
    throw ProblemError(400, "the two runs are of different collections");
  RequireWhole(reader, first);
  RequireWhole(reader, second);
  std::vector<Mover> movers = MoversBetween(PlacesIn(reader, first), PlacesIn(reader, second));
  if (difference.a.collection == Name(ClusterCollection::kMesh)) {
    const auto hidden = HiddenMembers(reader, context, view);
    std::erase_if(movers, [&](const Mover& mover) { return hidden.contains(mover.member); });
  }
  TakeFlows(difference, FlowsOf(movers), reader, request, limit);
  TakeMovers(difference, movers, reader, request, limit);
  return difference;
}

std::string BuildDifference(const Request& request, const RouteContext& context, const MeshView& view) {
  const auto difference = context.services().readers->Read(
      [&](ReaderConnection& reader) { return Compare(reader, request, context, view); });
  JsonText out;
  out.BeginObject().Key("a").BeginObject();
  WriteRun(out, difference.a);
  out.EndObject().Key("b").BeginObject();
  WriteRun(out, difference.b);
  out.EndObject().Member("moved", difference.moved).Key("flows").BeginArray();
  for (const RunDifference::Flow& flow : difference.flows) {
    out.BeginObject()
        .Member("from", flow.from)
        .Member("to", flow.to)
        .Member("members", flow.members)
        .EndObject();
  }
  out.EndArray()
      .Member("flows_total", difference.flows_total)
      .Member("flows_next", difference.flows_next)
      .Key("members")
      .BeginArray();
  for (const RunDifference::Member& member : difference.members)
    out.BeginObject()
        .Member("key", member.key)
        .Member("from", member.from)
        .Member("to", member.to)
        .EndObject();
  out.EndArray().Member("next", difference.next).EndObject();
  return std::move(out).Take();
}

Route ListRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/cluster-runs";
  route.tag = "clusters";
  route.summary =
      "The runs that were applied, newest first; on a branch its own, and those of main up to its base. "
      "`active` is the one in force at the moment; `pruned`, that the members were thinned out, is null as "
      "of "
      "a commit.";
  route.parameters = MomentDocs();
  route.parameters.push_back(LimitDoc(kDefaultPage, kLargestPage));
  route.parameters.push_back(CursorDoc());
  route.responses = {{200, "runs, total, next and as_of.", "application/json"},
                     ProblemDoc(404, "No such branch or commit."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildList(request, context));
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/cluster-runs/{id}";
  route.tag = "clusters";
  route.summary = "One run: how it was computed, and what it decided.";
  route.parameters = {PathDoc("id", "Its number."),
                      FlagDoc("continuations", "With the clusters that merely went on."),
                      LimitDoc(kDefaultPage, kLargestPage), CursorDoc()};
  route.responses = {{200, "The run, decisions and next.", "application/json"},
                     ProblemDoc(404, "No such run.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildRun(request, context));
  });
  return route;
}

Route DifferenceRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/cluster-runs/{a}/diff/{b}";
  route.tag = "clusters";
  route.summary =
      "Who moved between two runs: how many from which cluster to which, and the members themselves.";
  route.parameters = {PathDoc("a", "The number of a run."), PathDoc("b", "The number of another."),
                      LimitDoc(kDefaultMoves, kLargestMoves), CursorDoc(),
                      TextDoc(kFlowCursor, "Where the flows go on: flows_next of an answer.")};
  route.responses = {
      {200,
       "The runs; moved, members and next; flows, flows_total and flows_next. The limit is of each"
       " list.",
       "application/json"},
      ProblemDoc(404, "No such run."),
      ProblemDoc(410, "One of them was thinned out (code run_thinned).")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return TaggedJson(request, BuildDifference(request, context, view));
  });
  return route;
}

}  // namespace

void RegisterClusterRunRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(DetailRoute(context));
  router.Add(DifferenceRoute(context));
}

}  // namespace heliograph::server
