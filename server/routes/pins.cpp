#include "server/routes/pins.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/queued_answer.h"
#include "server/routes/request_body.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

constexpr const char* kPinStream = "pins";
constexpr const char* kRevertStream = "reverts";

std::string BuildPins(ReaderConnection& reader) {
  SQLite::Statement& rows = reader.Prepared(
      "SELECT p.name, c.commit_id, p.commit_seq, p.actor, p.created_at, p.expires_at FROM pin AS p "
      "JOIN commit_log AS c ON c.commit_seq = p.commit_seq ORDER BY p.name");
  JsonText out;
  std::int64_t total = 0;
  out.BeginObject().Key("pins").BeginArray();
  for (; rows.executeStep(); ++total) {
    out.BeginObject()
        .Member("name", rows.getColumn(0).getString())
        .Member("commit", rows.getColumn(1).getString())
        .Member("commit_seq", rows.getColumn(2).getInt64())
        .Member("actor", rows.getColumn(3).getString())
        .Member("created_at", TimeOf(rows.getColumn(4)))
        .Member("expires_at", OptionalTimeOf(rows.getColumn(5)))
        .EndObject();
  }
  out.EndArray().Member("total", total).Key("next").Null().EndObject();
  return std::move(out).Take();
}

Route Make(Method method, std::string path, std::string summary) {
  Route route;
  route.method = method;
  route.path = std::move(path);
  route.summary = std::move(summary);
  route.tag = "history";
  if (method != Method::kGet) {
    route.access = Access::kWrite;
    route.responses = {{202, "requestId and statusUrl, which tells the outcome.", "application/json"}};
  }
  return route;
}

void AddPins(Router& router, const RouteContext& context) {
  Route list = Make(Method::kGet, "/api/pins", "The commits that are kept under a name, whatever their age.");
  list.responses = {{200, "pins, total and next.", "application/json"}};
  list.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, context.services().readers->Read(BuildPins));
  });
  router.Add(std::move(list));

  Route set = Make(Method::kPost, "/api/pins", "Keeps a commit under a name.");
  set.request_body =
      "{\"name\": 1 to 64 of a-z, 0-9, '.', '_' and '-', \"commit\": an id or seq:<number>, \"expires_at\"?: "
      "RFC 3339}";
  set.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const nlohmann::json body = ObjectInBody(request);
    nlohmann::ordered_json asked = {
        {"action", "set"}, {"name", RequiredText(body, "name")}, {"commit", RequiredText(body, "commit")}};
    if (const auto expires_at = OptionalText(body, "expires_at")) asked["expires_at"] = *expires_at;
    return AnswerQueued(context, queue::Kind::kPin, kPinStream, asked.dump());
  });
  router.Add(std::move(set));

  Route remove = Make(Method::kDelete, "/api/pins/{name}",
                      "Forgets a name; the commit is kept by the other rules alone.");
  remove.parameters = {PathDoc("name", "The pin's name.")};
  remove.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const nlohmann::ordered_json asked = {{"action", "remove"}, {"name", request.PathParameter("name")}};
    return AnswerQueued(context, queue::Kind::kPin, kPinStream, asked.dump());
  });
  router.Add(std::move(remove));
}

}  // namespace

void RegisterPinRoutes(Router& router, const RouteContext& context) {
  AddPins(router, context);
  Route revert =
      Make(Method::kPost, "/api/commits/{id}/revert",
           "Takes back what a commit of main changed, as a commit of its own. A conflict when something has "
           "changed again since.");
  revert.parameters = {PathDoc("id", "The commit's id, or seq:<number>.")};
  revert.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const nlohmann::ordered_json asked = {{"commit", request.PathParameter("id")}};
    return AnswerQueued(context, queue::Kind::kRevert, kRevertStream, asked.dump());
  });
  router.Add(std::move(revert));
}

}  // namespace heliograph::server
