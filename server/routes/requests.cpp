#include "server/routes/requests.h"

#include <utility>

#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/ledger_entry.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

std::string BuildOutcome(const Ulid& id, const std::optional<LedgerEntry>& entry) {
  JsonText out;
  out.BeginObject().Member("id", id.ToText()).Member("state", entry ? "finished" : "pending");
  if (entry) {
    out.Member("kind", entry->kind)
        .Member("outcome", entry->outcome)
        .Member("reason", entry->reason)
        .Member("commit", entry->commit_id)
        .Member("created_at", entry->created_at)
        .Member("applied_at", entry->applied_at)
        .Key("result")
        .Raw(entry->result.value_or("null"));
  }
  out.EndObject();
  return std::move(out).Take();
}

}  // namespace

void RegisterRequestRoutes(Router& router, const RouteContext& context) {
  Route route;
  route.path = "/api/requests/{id}";
  route.tag = "operation";
  route.summary = "What became of something that was posted: pending, or the ledger's outcome and reason.";
  route.parameters = {PathDoc("id", "The requestId of the answer to the post.")};
  route.responses = {{200, "state is pending or finished.", "application/json"},
                     ProblemDoc(404, "No such request.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const Ulid id = ReadRequestId(request.PathParameter("id"));
    return TaggedJson(request, BuildOutcome(id, FindOutcome(context, id)));
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
