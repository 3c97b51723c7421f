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

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::int64_t kLargestPage = 500;

/// What a lineage is asked for, whosever it is.
DecisionFilter LineageFilter(const Request& request) {
  DecisionFilter filter;
  filter.limit = LimitParameter(request, {kDefaultPage, kLargestPage}) + 1;
  filter.events_only = !BooleanParameter(request, "continuations").value_or(false);
  filter.confirmed_only = !BooleanParameter(request, "tentative").value_or(true);
  if (const auto cursor = CursorParameter(request, "lineage", 1)) {
    const auto* before = std::get_if<std::int64_t>(&cursor->front());
    if (before == nullptr) throw ProblemError(400, "cursor: this is no cursor of this list");
    filter.before = *before;
  }
  return filter;
}

/// `decisions` and `next`, into an object that is open. `decisions` are what the filter found.
void WriteLineage(JsonText& out, std::vector<ClusterDecision> decisions, const DecisionFilter& filter) {
  std::optional<std::string> next;
  if (static_cast<std::int64_t>(decisions.size()) == filter.limit) {
    decisions.pop_back();
    const CursorField last = decisions.back().id;
    next = EncodeCursor("lineage", {&last, 1});
  }
  out.Key("decisions").BeginArray();
  for (const ClusterDecision& decision : decisions) WriteDecision(out, decision);
  out.EndArray().Member("next", next);
}

std::string BuildLineage(const Request& request, const RouteContext& context) {
  DecisionFilter filter = LineageFilter(request);
  ClusterTrack track;
  AskedMoment asked;
  auto decisions = context.services().readers->Read([&](ReaderConnection& reader) {
    asked = ReadMoment(request, reader);
    track = TrackInPath(request, reader, asked.moment);
    filter.track = track.key;
    return DecisionsAt(reader, asked.moment, filter);
  });
  JsonText out;
  out.BeginObject()
      .Member("id", track.id)
      .Member("slug", track.slug)
      .Member("title", track.title)
      .Member("status", track.status)
      .Member("born_at", track.born_at);
  WriteLineage(out, std::move(decisions), filter);
  out.Key("as_of");
  WriteMoment(out, asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

std::string BuildWholeLineage(const Request& request, const RouteContext& context) {
  DecisionFilter filter = LineageFilter(request);
  filter.collection = CollectionParameter(request);
  AskedMoment asked;
  auto decisions = context.services().readers->Read([&](ReaderConnection& reader) {
    asked = ReadMoment(request, reader);
    return DecisionsAt(reader, asked.moment, filter);
  });
  JsonText out;
  out.BeginObject();
  WriteLineage(out, std::move(decisions), filter);
  out.Key("as_of");
  WriteMoment(out, asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

ParameterDoc TentativeDoc() {
  return FlagDoc("tentative", "With what is not confirmed, or was taken back; true unless given.");
}

Route WholeLineageRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters/lineage";
  route.tag = "clusters";
  route.summary =
      "What became of all clusters from run to run, newest first: births, merges, splits, ends, and why.";
  route.parameters = MomentDocsAnd({FlagDoc("continuations", "With the clusters that merely went on."),
                                    TentativeDoc(), LimitDoc(kDefaultPage, kLargestPage), CursorDoc()});
  route.responses = {{200, "decisions, next and as_of.", "application/json"},
                     ProblemDoc(404, "No such branch or commit."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildWholeLineage(request, context));
  });
  return route;
}

Route LineageRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters/{id}/lineage";
  route.tag = "clusters";
  route.summary =
      "What became of a cluster from run to run, newest first: births, merges, splits, ends, and why.";
  route.parameters =
      MomentDocsAnd({PathDoc("id", "Its id, slug, or an alias. A merged one has a lineage of its own."),
                     FlagDoc("continuations", "With the runs in which it merely went on."), TentativeDoc(),
                     LimitDoc(kDefaultPage, kLargestPage), CursorDoc()});
  route.responses = {{200, "The cluster, decisions, next and as_of.", "application/json"},
                     ProblemDoc(404, "No such cluster."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildLineage(request, context));
  });
  return route;
}

}  // namespace

void RegisterClusterLineageRoutes(Router& router, const RouteContext& context) {
  router.Add(WholeLineageRoute(context));
  router.Add(LineageRoute(context));
}

}  // namespace heliograph::server
