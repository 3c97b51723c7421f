#include "tests/meshsim/truth_events.h"

#include <algorithm>
#include <cmath>

namespace heliograph::meshsim {
namespace {

using Json = nlohmann::ordered_json;

double Degrees(double value) {
  return std::round(value * 1e6) / 1e6;
}

std::string KeyOf(const World& world, NodeIndex node) {
  return world.nodes[node].keys.public_key().ToHex();
}

void AddPlace(Json& out, const std::string& before, std::size_t town, const GeoPoint& position,
              const World& world) {
  out[before + "community"] = world.terrain.towns[town].name;
  out[before + "region"] = world.terrain.regions[world.terrain.towns[town].region].iata;
  out[before + "lat"] = Degrees(position.latitude);
  out[before + "lon"] = Degrees(position.longitude);
}

void AddCommunities(Json& out, const LifeEvent& event, const World& world) {
  Json& nodes = out["nodes"] = Json::array();
  for (const NodeIndex node : event.nodes) nodes.push_back(KeyOf(world, node));
  out["regions"] = {world.terrain.regions[event.region].iata, world.terrain.regions[event.far_region].iata};
  out["connected_before"] = event.connected_before;
  out["connected_after"] = event.connected_after;
}

void AddTowns(Json& out, const LifeEvent& event, const World& world) {
  Json& nodes = out["nodes"] = Json::array();
  for (const NodeIndex node : event.nodes) nodes.push_back(KeyOf(world, node));
  const bool founded = event.kind == LifeEventKind::kTownFounded;
  const bool abandoned = event.kind == LifeEventKind::kTownAbandoned;
  out["from_community"] = founded ? Json(nullptr) : Json(world.terrain.towns[event.old_town].name);
  out["community"] = abandoned ? Json(nullptr) : Json(world.terrain.towns[event.town].name);
}

Json DescribeEvent(const LifeEvent& event, const World& world) {
  Json out = {{"time", FormatTime(event.at)}, {"kind", LifeEventName(event.kind)}};
  switch (event.kind) {
    case LifeEventKind::kCommunitiesJoin:
    case LifeEventKind::kCommunitiesPart:
      AddCommunities(out, event, world);
      return out;
    case LifeEventKind::kTownFounded:
    case LifeEventKind::kTownAbandoned:
    case LifeEventKind::kTownSplits:
    case LifeEventKind::kTownMerges:
      AddTowns(out, event, world);
      return out;
    case LifeEventKind::kAppears:
      AddPlace(out, "", event.town, event.position, world);
      break;
    case LifeEventKind::kMoves:
      AddPlace(out, "", event.town, event.position, world);
      AddPlace(out, "from_", event.old_town, event.old_position, world);
      break;
    case LifeEventKind::kChangesMode:
      out["path_hash_mode"] = event.path_hash_mode;
      break;
    default:
      break;
  }
  out["node"] = KeyOf(world, event.nodes[0]);
  return out;
}

Json DescribeOutage(const Outage& outage, const World& world, const ObserverSet& observers) {
  return {{"time", FormatTime(outage.begin)},
          {"kind", "observer_loses_connection"},
          {"node", KeyOf(world, observers.observers[outage.observer].node)},
          {"until", FormatTime(outage.end)}};
}

}  // namespace

nlohmann::ordered_json DescribeEvents(const World& world, const ObserverSet& observers,
                                      const Simulation& simulation) {
  std::vector<std::pair<UtcMillis, Json>> all;
  for (const LifeEvent& event : simulation.events()) all.emplace_back(event.at, DescribeEvent(event, world));
  for (const Outage& outage : simulation.outages()) {
    all.emplace_back(outage.begin, DescribeOutage(outage, world, observers));
  }
  std::ranges::stable_sort(all, {}, [](const auto& event) { return event.first; });
  Json out = Json::array();
  for (auto& event : all) out.push_back(std::move(event.second));
  return out;
}

}  // namespace heliograph::meshsim
