#include <array>
#include <utility>

#include "common/cluster_override.h"
#include "server/http/problem.h"
#include "server/routes/cluster_request.h"
#include "server/routes/clusters.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/request_body.h"
#include "server/state/row_reader.h"

namespace heliograph::server {
namespace {

constexpr const char* kStream = "overrides";

struct ActionDoc {
  OverrideAction action;
  const char* summary;
  const char* body;
};

constexpr std::array kActions{
    ActionDoc{OverrideAction::kRename, "Gives the cluster a title that no run changes.", "title"},
    ActionDoc{OverrideAction::kExclude, "Members that do not belong to the cluster, whatever a run says.",
              "members"},
    ActionDoc{OverrideAction::kInclude, "Members that belong to the cluster, whatever a run says.",
              "members"},
    ActionDoc{OverrideAction::kMerge, "Another cluster is part of this one from now on.", "other"},
    ActionDoc{OverrideAction::kSplit, "Some members are a cluster of their own from now on.",
              "members, and a title if"
              " you like"},
    ActionDoc{OverrideAction::kClose, "It needs no more attention, and stays closed whatever it gains.",
              "nothing"},
    ActionDoc{OverrideAction::kReopen, "It needs attention again.", "nothing"}};

/// What a correction may rest on: the commit that its author saw, or the present.
std::optional<std::int64_t> BaseOf(const nlohmann::json& body) {
  const auto base = body.find("base");
  if (base == body.end() || base->is_null()) return std::nullopt;
  if (!base->is_number_integer() || base->get<std::int64_t>() < 0)
    throw ProblemError(400, "base must be the `base` of the cluster as you saw it");
  return base->get<std::int64_t>();
}

/// The request as the queue carries it: the members of the body that the action has.
ClusterOverride RequestOf(const nlohmann::json& body, OverrideAction action, const std::string& cluster) {
  nlohmann::json document = body;
  for (const char* own : {"base", "actor"}) document.erase(own);
  document["action"] = Name(action);
  document[action == OverrideAction::kUndo ? "undoes" : "cluster"] = cluster;
  auto request =
      DecodeClusterOverride(document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!request) throw ProblemError(400, request.error());
  return *request;
}

nlohmann::json BodyOf(const Request& request) {
  return request.body.empty() ? nlohmann::json::object() : ObjectInBody(request);
}

/// Throws ProblemError(409) when the track changed after the commit that the request is based on.
void RefuseWhenMovedOn(ReaderConnection& reader, const ClusterTrack& track, std::int64_t base) {
  SQLite::Statement& row = reader.Prepared(
      "SELECT max(?2, coalesce((SELECT max(max(from_seq, coalesce(to_seq, 0))) FROM cluster_overrides WHERE "
      "branch_id=1"
      " AND (track_key=?1 OR other_track_key=?1)), 0))");
  row.bind(1, track.key);
  row.bind(2, track.since_seq);
  row.executeStep();
  if (row.getColumn(0).getInt64() <= base) return;
  throw ProblemError(409, "the cluster " + track.id + " has changed since commit " + std::to_string(base) +
                              ", in commit " + std::to_string(row.getColumn(0).getInt64()) +
                              "; look at it again and send the new base");
}

ClusterTrack RequireTrack(ReaderConnection& reader, const std::string& name) {
  auto track = FindTrack(reader, ClusterMoment(), name);
  if (!track) throw ProblemError(404, "there is no cluster with the id, slug or alias " + name);
  return *track;
}

/// Names the clusters by their ids, so that the request means the same when it is carried out. Returns the
/// commit that it rests on: what its author saw, or the present.
std::int64_t Settle(const RouteContext& context, ClusterOverride& request, std::optional<std::int64_t> base) {
  return context.services().readers->Read([&](ReaderConnection& reader) {
    const std::int64_t rests_on = base.value_or(ReadHead(reader));
    const auto check = [&](const ClusterTrack& track) {
      if (base) RefuseWhenMovedOn(reader, track, *base);
    };
    if (request.undoes) {
      SQLite::Statement& row = reader.Prepared("SELECT track_key FROM cluster_overrides WHERE override_id=?");
      row.bind(1, request.undoes->ToText());
      if (!row.executeStep()) throw ProblemError(404, "there is no override " + request.undoes->ToText());
      if (const auto track = TrackByKey(reader, ClusterMoment(), row.getColumn(0).getInt64())) check(*track);
      return rests_on;
    }
    const ClusterTrack track = RequireTrack(reader, request.cluster);
    check(track);
    request.cluster = track.id;
    if (request.other.empty()) return rests_on;
    const ClusterTrack other = RequireTrack(reader, request.other);
    check(other);
    request.other = other.id;
    return rests_on;
  });
}

Response Accept(const RouteContext& context, const nlohmann::json& body, ClusterOverride request) {
  const std::int64_t base = Settle(context, request, BaseOf(body));
  QueuedRequest queued;
  queued.kind = queue::Kind::kOverride;
  queued.stream = kStream;
  queued.payload = EncodeClusterOverride(request);
  queued.base_commit_seq = base;
  queued.actor = ActorIn(body);
  const std::string id = context.services().requests->Publish(queued).ToText();
  JsonText out;
  out.BeginObject()
      .Member("requestId", id)
      .Member("statusUrl", "/api/requests/" + id)
      .Member("action", Name(request.action))
      .EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

Route BaseRoute(std::string path, std::string summary, const std::string& body) {
  Route route;
  route.method = Method::kPost;
  route.path = std::move(path);
  route.tag = "clusters";
  route.summary = std::move(summary);
  route.request_body =
      "JSON with " + body +
      "; beside it reason, actor, and base, the `base` of the answer that the correction rests on.";
  route.responses = {
      {202, "Accepted; statusUrl tells the outcome, and requestId undoes it.", "application/json"},
      ProblemDoc(400, "The request makes no sense."),
      ProblemDoc(404, "No such cluster."),
      ProblemDoc(409, "The cluster has changed since `base`.")};
  route.access = Access::kWrite;
  return route;
}

}  // namespace

void RegisterClusterOverrideRoutes(Router& router, const RouteContext& context) {
  for (const ActionDoc& doc : kActions) {
    Route route = BaseRoute("/api/clusters/{id}/" + std::string(Name(doc.action)), doc.summary, doc.body);
    route.parameters = {PathDoc("id", "The cluster's id, slug, or an alias.")};
    route.handler =
        WhenReady(context, [context, action = doc.action](const Request& request, const MeshView&) {
          const nlohmann::json body = BodyOf(request);
          return Accept(context, body, RequestOf(body, action, request.PathParameter("id")));
        });
    router.Add(std::move(route));
  }
  Route undo = BaseRoute("/api/clusters/undo/{override}", "Takes a correction back.", "nothing");
  undo.parameters = {PathDoc("override", "The requestId of the correction.")};
  undo.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const nlohmann::json body = BodyOf(request);
    return Accept(context, body, RequestOf(body, OverrideAction::kUndo, request.PathParameter("override")));
  });
  router.Add(std::move(undo));
}

}  // namespace heliograph::server
