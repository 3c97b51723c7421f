#include "server/routes/opportunity_json.h"

#include <cmath>

#include "server/analytics/mesh_model.h"
#include "server/routes/visibility.h"

namespace heliograph::server {
namespace {

/// Counts are expectations: more digits would only look exact.
double Rounded(double value) {
  return std::round(value * 1000) / 1000;
}

void WriteNeighbors(JsonText& out, const Opportunity& opportunity, const RouteContext& context,
                    const MeshView& view, const MeshModel& model) {
  out.Key("neighbors").BeginArray();
  for (const OpportunityNeighbor& neighbor : opportunity.neighbors) {
    const Station* station = model.stations.Find(neighbor.node);
    if (station == nullptr) continue;
    const NodeView* node = view.FindNode(station->public_key);
    const bool shown = node != nullptr ? context.visibility().Shows(*node)
                                       : context.visibility().ShowsKey(station->public_key);
    if (!shown) continue;
    out.BeginObject()
        .Member("public_key", station->public_key.ToHex())
        .Member("name", node == nullptr ? std::nullopt : node->name)
        .Member("rate", Rounded(neighbor.rate))
        .Member("floods", Rounded(neighbor.floods))
        .Member("expected", Rounded(neighbor.expected))
        .EndObject();
  }
  out.EndArray();
}

}  // namespace

void WriteModel(JsonText& out, const PublicKey& key, const RouteContext& context, const MeshView& view) {
  const NodeView* node = view.FindNode(key);
  const ModelVerdict* verdict =
      node == nullptr || view.model == nullptr ? nullptr : view.model->capability.Find(node->key);
  if (verdict == nullptr) {
    out.Null();
    return;
  }
  const MeshPriors& priors = view.model->capability.priors;
  const Opportunity& opportunity = verdict->opportunity;
  out.BeginObject()
      .Member("probability", Rounded(verdict->Probability()))
      .Member("relayed", Rounded(verdict->relayed))
      .Member("prior", Rounded(ForwardsByDefault(node->role) ? priors.relays : priors.others))
      .Member("stays_at_one", Rounded(priors.stays_at_one))
      .Member("relay_yield", Rounded(priors.relay_yield))
      .Member("unseen", Rounded(priors.unseen));
  out.Key("opportunity")
      .BeginObject()
      .Member("floods", Rounded(opportunity.floods))
      .Member("relays_expected", Rounded(Sum(opportunity.relays_expected)))
      .Member("relays_seen", Rounded(opportunity.relays_seen))
      .Member("reports_expected", Rounded(Sum(opportunity.reports_expected)))
      .Member("reports_seen", Rounded(opportunity.reports_seen));
  WriteNeighbors(out, opportunity, context, view, *view.model);
  out.EndObject().EndObject();
}

}  // namespace heliograph::server
