#include "server/routes/readiness.h"

#include <algorithm>
#include <utility>

#include "server/http/parameters.h"
#include "server/routes/capability_history.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/node_selection.h"
#include "server/routes/parameter_docs.h"
#include "server/state/row_reader.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100;
// As the forecast takes a node for one that needs no upgrade.
constexpr double kAsGoodAsCapable = 0.9;

/// Readiness at one moment, with those that have the capability and do not use it.
struct Answer {
  SwitchReadiness readiness;
  std::optional<std::int64_t> watermark;
  std::optional<CommitMoment> moment;  ///< nothing: now
  std::vector<MultibyteRow> not_adopted;
};

bool IsCapableButSilent(const NodeCapability& capability) {
  if (capability.adopted || capability.status == CapabilityStatus::kUnknown) return false;
  return capability.status == CapabilityStatus::kConfirmed ||
         capability.probability.value_or(0) >= kAsGoodAsCapable;
}

Answer AnswerNow(const RouteContext& context, const MeshView& view, const RegionFilter& region) {
  Answer answer;
  answer.watermark = view.watermark;
  const auto& assessed = context.services().assessed_readiness;
  const auto newest = assessed ? assessed() : nullptr;
  if (newest && newest->epoch == view.epoch) {
    answer.readiness = newest->readiness;
    answer.watermark = newest->watermark;
  } else if (view.readiness) {
    answer.readiness = *view.readiness;
  }
  for (const auto& node : view.nodes) {
    if (node->active && IsCapableButSilent(node->capability) && IsInRegion(*node, region) &&
        context.visibility().Shows(*node))
      answer.not_adopted.push_back({node->public_key, node.get(), node->capability});
  }
  return answer;
}

Answer AnswerAsOf(const Request& request, const RouteContext& context, const MeshView& view) {
  return context.services().readers->Read([&](ReaderConnection& reader) {
    Answer answer;
    const BranchLine line = BranchParameter(reader, request);
    answer.moment = MomentParameter(reader, request, line);
    answer.watermark = answer.moment->watermark;
    answer.readiness = ReadReadinessAt(reader, answer.moment->seq, line.branch_id, line.base_seq.value_or(0));
    for (const DatedCapability& dated : CapabilitiesAt(reader, line, answer.moment->seq)) {
      if (IsCapableButSilent(dated.capability) && IsShown(dated.public_key, view, context.visibility()))
        answer.not_adopted.push_back({dated.public_key, nullptr, dated.capability});
    }
    return answer;
  });
}

void WriteShare(JsonText& out, const char* name, const std::optional<ShareEstimate>& estimate) {
  out.Key(name);
  if (!estimate) {
    out.Null();
    return;
  }
  out.BeginObject()
      .Member("share", estimate->share)
      .Member("low", estimate->low)
      .Member("high", estimate->high)
      .EndObject();
}

void WriteForecast(JsonText& out, const char* name, const SwitchForecast& forecast, const MeshView& view,
                   const Visibility& visibility) {
  out.Key(name).BeginObject();
  WriteShare(out, "observer_share", forecast.observer_share);
  WriteShare(out, "node_share", forecast.node_share);
  out.Key("blockers").BeginArray();
  for (const SwitchBlocker& blocker : forecast.blockers) {
    if (!IsShown(blocker.public_key, view, visibility)) continue;
    const NodeView* node = view.FindNode(blocker.public_key);
    out.BeginObject()
        .Member("public_key", blocker.public_key.ToHex())
        .Member("name", node ? node->name : std::nullopt)
        .Member("gain", blocker.gain)
        .EndObject();
  }
  out.EndArray().EndObject();
}

void WriteScope(JsonText& out, const ReadinessScope& scope, const MeshView& view,
                const Visibility& visibility) {
  const auto region = scope.region.empty() ? std::nullopt : std::optional(scope.region);
  out.BeginObject().Member("region", region).Key("traffic").BeginObject();
  out.Member("confirmed", scope.traffic.confirmed)
      .Member("suspected", scope.traffic.suspected)
      .Member("likely_legacy", scope.traffic.likely_legacy)
      .Member("unknown", scope.traffic.unknown)
      .EndObject();
  out.Key("knowledge").BeginObject();
  out.Member("observers", scope.knowledge.observers)
      .Member("multibyte_floods", scope.knowledge.multibyte_floods)
      .Member("nodes", scope.knowledge.nodes)
      .Member("nodes_with_evidence", scope.knowledge.nodes_with_evidence)
      .Member("share_of_relayed_traffic_with_evidence", scope.knowledge.traffic_with_evidence)
      .EndObject();
  WriteForecast(out, "two_bytes", scope.two_bytes, view, visibility);
  WriteForecast(out, "three_bytes", scope.three_bytes, view, visibility);
  out.EndObject();
}

/// False when only some regions are asked for, and this is none of them.
bool IsWanted(const ReadinessScope& scope, const RegionFilter& region) {
  return region.all() || std::binary_search(region.codes.begin(), region.codes.end(), scope.region);
}

void WriteNotAdopted(JsonText& out, const Answer& answer, std::size_t limit) {
  out.Key("not_adopted").BeginArray();
  for (std::size_t i = 0; i < std::min(limit, answer.not_adopted.size()); ++i) {
    const MultibyteRow& row = answer.not_adopted[i];
    out.BeginObject();
    WriteMultibyteMembers(out, row);
    out.EndObject();
  }
  out.EndArray().Member("not_adopted_total", answer.not_adopted.size());
}

std::string Write(const Answer& answer, const RegionFilter& region, std::size_t limit, const MeshView& view,
                  const Visibility& visibility) {
  JsonText out;
  std::size_t total = 0;
  out.BeginObject().Key("scopes").BeginArray();
  for (const ReadinessScope& scope : answer.readiness.scopes) {
    if (!IsWanted(scope, region)) continue;
    WriteScope(out, scope, view, visibility);
    ++total;
  }
  out.EndArray().Member("total", total).Key("next").Null();
  if (answer.moment && !region.all()) {
    out.Key("not_adopted").Null().Key("not_adopted_total").Null();
  } else {
    WriteNotAdopted(out, answer, limit);
  }
  out.Member("watermark", answer.watermark).Key("as_of");
  WriteMoment(out, answer.moment);
  out.EndObject();
  return std::move(out).Take();
}

}  // namespace

void RegisterReadinessRoute(Router& router, const RouteContext& context) {
  const std::int64_t maximum = context.config().list_limits.nodes;
  Route route;
  route.path = "/api/multibyte/readiness";
  route.tag = "multibyte";
  route.summary =
      "What would be left of today's deliveries if everyone who can sent with path hashes of 2 or of 3 bytes "
      "from "
      "now on: for the whole mesh (region null) and for the destinations in each region. Each share comes "
      "with an "
      "interval that holds the truth in 80 % of the cases. traffic tells what each status carries of what is "
      "relayed. blockers are the relays whose upgrade wins back most of the deliveries to nodes, each with "
      "what it "
      "adds to those before it. not_adopted lists whoever has the capability and sends with 1 byte; which "
      "region "
      "a node was heard in has no history, so that it is null when both region and as_of are given. The "
      "figures "
      "are those of the last analytics cycle, or of the snapshot that held as of a commit.";
  route.parameters = {RegionDoc(), AsOfDoc(), BranchDoc(), LimitDoc(kDefaultPage, maximum)};
  route.responses = {{200, "scopes, total, next, not_adopted and not_adopted_total.", "application/json"},
                     ProblemDoc(404, "No such commit."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  route.handler = WhenReady(context, [context, maximum](const Request& request, const MeshView& view) {
    const RegionFilter region = RegionParameter(request);
    const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, maximum}));
    const bool is_past = AsOfText(request) || NamesBranch(request);
    const Answer answer = is_past ? AnswerAsOf(request, context, view) : AnswerNow(context, view, region);
    return TaggedJson(request, Write(answer, region, limit, view, context.visibility()));
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
