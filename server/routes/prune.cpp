#include "server/routes/prune.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/geo_filter.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/ledger_entry.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/request_body.h"

namespace heliograph::server {
namespace {

constexpr const char* kPath = "/api/admin/prune-geo-filter";
constexpr const char* kStream = "prune-request";
constexpr std::size_t kMinCorners = 3;
/// Room for 15 000 keys with their quotes and commas.
constexpr std::size_t kMaxBodyBytes = 1024 * 1024;

/// True when the configuration bounds an area.
bool HasArea(const GeoFilter& area) {
  return area.polygon.size() >= kMinCorners || area.box;
}

using NodePointers = std::vector<const NodeView*>;

/// Nodes outside the area, hidden ones too, for this is the operator's own list. Nodes without a position
/// stay.
NodePointers NodesOutside(const MeshView& view, const GeoFilter& area) {
  NodePointers outside;
  for (const auto& node : view.nodes) {
    if (!node->lat || !node->lon) continue;
    if (!area.Passes(GeoPoint{*node->lat, *node->lon})) outside.push_back(node.get());
  }
  return outside;
}

void WriteNodes(JsonText& out, const NodePointers& nodes) {
  out.Member("count", nodes.size()).Key("nodes").BeginArray();
  for (const NodeView* node : nodes) {
    out.BeginObject()
        .Member("pubkey", node->public_key.ToHex())
        .Member("name", node->name)
        .Member("lat", node->lat)
        .Member("lon", node->lon)
        .EndObject();
  }
  out.EndArray();
}

std::unordered_set<PublicKey> ReadConfirmed(const Request& request) {
  const nlohmann::json body = ObjectInBody(request);
  const auto listed = body.find("pubkeys");
  if (listed == body.end() || !listed->is_array() || listed->empty()) {
    throw ProblemError(400, "to confirm, send {\"pubkeys\":[…]} with the keys from the preview");
  }
  std::unordered_set<PublicKey> keys;
  for (const nlohmann::json& entry : *listed) {
    const auto key = entry.is_string() ? PublicKey::FromHex(entry.get<std::string>()) : std::nullopt;
    if (!key) throw ProblemError(400, "pubkeys must hold public keys of 64 hexadecimal digits");
    keys.insert(*key);
  }
  return keys;
}

Response Preview(const NodePointers& outside) {
  JsonText out;
  out.BeginObject().Member("dryRun", true);
  WriteNodes(out, outside);
  out.EndObject();
  return JsonResponse(std::move(out).Take());
}

std::string PruneDocument(const NodePointers& nodes) {
  JsonText document;
  document.BeginObject().Member("reason", "outside the geo filter").Key("public_keys").BeginArray();
  for (const NodeView* node : nodes) document.Value(node->public_key.ToHex());
  document.EndArray().EndObject();
  return std::move(document).Take();
}

Response Confirm(const Request& request, const RouteContext& context, NodePointers outside) {
  const auto confirmed = ReadConfirmed(request);
  std::erase_if(outside, [&](const NodeView* node) { return !confirmed.contains(node->public_key); });
  if (outside.empty()) {
    throw ProblemError(
        400, "none of the listed nodes is outside the geo filter (any more): there is nothing to prune");
  }
  QueuedRequest queued;
  queued.kind = queue::Kind::kPruneRequest;
  queued.stream = kStream;
  queued.payload = PruneDocument(outside);
  const std::string id = context.services().requests->Publish(queued).ToText();

  JsonText out;
  out.BeginObject().Member("dryRun", false).Member("accepted", true).Member("requestId", id);
  WriteNodes(out, outside);
  out.Member("statusUrl", std::string(kPath) + "/status?id=" + id).EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

Response AnswerPrune(const Request& request, const RouteContext& context, const MeshView& view) {
  const GeoFilter& area = context.config().geo_filter;
  if (!HasArea(area)) {
    throw ProblemError(
        400, "no geo filter is configured: set geo_filter with a polygon of 3 points or more, or a box");
  }
  NodePointers outside = NodesOutside(view, area);
  if (BooleanParameter(request, "confirm").value_or(false))
    return Confirm(request, context, std::move(outside));
  return Preview(outside);
}

/// How many nodes went; nothing when the ledger does not tell.
std::optional<std::int64_t> DeletedOf(const LedgerEntry& entry) {
  const auto result = nlohmann::json::parse(entry.result.value_or("null"), nullptr, false);
  if (!result.is_object() || !result.contains("deleted") || !result["deleted"].is_number_integer())
    return std::nullopt;
  return result["deleted"].get<std::int64_t>();
}

std::string BuildStatus(const Ulid& id, const std::optional<LedgerEntry>& entry) {
  JsonText out;
  out.BeginObject().Member("requestId", id.ToText());
  if (!entry) {
    out.Member("status", "pending").EndObject();
    return std::move(out).Take();
  }
  out.Member("status", entry->succeeded() ? "done" : "error")
      .Member("deleted", DeletedOf(*entry))
      .Member("requestedAt", entry->created_at)
      .Member("completedAt", entry->applied_at)
      .Member("error",
              entry->succeeded() ? std::nullopt : std::optional(entry->reason.value_or(entry->outcome)))
      .EndObject();
  return std::move(out).Take();
}

}  // namespace

void RegisterPruneRoutes(Router& router, const RouteContext& context) {
  Route prune;
  prune.method = Method::kPost;
  prune.path = kPath;
  prune.tag = "administration";
  prune.summary =
      "Nodes outside the geo filter: a preview, and with confirm their deletion. Only nodes that are both "
      "listed and "
      "still outside are deleted; nodes without a position stay.";
  prune.parameters = {FlagDoc("confirm", "Delete instead of showing.")};
  prune.request_body = "With confirm: {\"pubkeys\": [the keys from the preview]}";
  prune.max_body_bytes = kMaxBodyBytes;
  prune.responses = {{200, "The preview.", "application/json"},
                     {202, "Accepted; statusUrl tells the outcome.", "application/json"},
                     ProblemDoc(400, "No geo filter, or nothing to prune.")};
  prune.access = Access::kWrite;
  prune.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerPrune(request, context, view);
  });
  router.Add(std::move(prune));

  Route status;
  status.path = std::string(kPath) + "/status";
  status.tag = "administration";
  status.summary = "What became of a pruning.";
  status.parameters = {TextDoc("id", "The requestId.")};
  status.responses = {{200, "status is pending, done or error.", "application/json"},
                      ProblemDoc(404, "No such request.")};
  status.access = Access::kWrite;
  status.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    const std::string* text = request.FindQuery("id");
    const Ulid id = ReadRequestId(text == nullptr ? std::string() : *text);
    return TaggedJson(request, BuildStatus(id, FindOutcome(context, id)));
  });
  router.Add(std::move(status));
}

}  // namespace heliograph::server
