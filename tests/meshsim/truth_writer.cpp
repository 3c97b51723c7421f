#include "tests/meshsim/truth_writer.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/meshsim/truth_events.h"

namespace heliograph::meshsim {
namespace {

using Json = nlohmann::ordered_json;

double Rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

/// What is known by now of a node's life.
struct LifeSpan {
  bool appeared = false;
  std::optional<UtcMillis> died;
};

std::vector<LifeSpan> SpansOf(const World& world, const Simulation& simulation) {
  std::vector<LifeSpan> spans(world.nodes.size());
  for (NodeIndex i = 0; i < spans.size(); ++i) spans[i].appeared = simulation.states()[i].alive;
  for (const LifeEvent& event : simulation.events()) {
    if (event.kind != LifeEventKind::kDies) continue;
    spans[event.nodes[0]] = {true, event.at};
  }
  return spans;
}

Json OptionalTime(const std::optional<UtcMillis>& time) {
  return time ? Json(FormatTime(*time)) : Json(nullptr);
}

Json DescribeArguments(const Options& options) {
  return {{"seed", options.seed},
          {"nodes", options.nodes},
          {"regions", options.regions},
          {"legacy_share", options.legacy_share},
          {"upgrades_per_day", options.upgrades_per_day},
          {"births_per_day", options.births_per_day},
          {"deaths_per_day", options.deaths_per_day},
          {"absences_per_day", options.absences_per_day},
          {"moves_per_day", options.moves_per_day},
          {"mode_changes_per_day", options.mode_changes_per_day},
          {"bridge_failures_per_day", options.bridge_failures_per_day},
          {"observer_outages_per_day", options.observer_outages_per_day},
          {"community_changes", options.community_changes},
          {"colliding_prefixes", options.colliding_prefixes},
          {"resettlements", options.resettlements},
          {"town_spacing", options.town_spacing_km},
          {"start", FormatTime(options.start)},
          {"days", options.days ? Json(*options.days) : Json(nullptr)},
          {"messages", options.messages ? Json(*options.messages) : Json(nullptr)},
          {"advert_share", options.advert_share},
          {"observations_per_transmission",
           options.observation_aim ? Json(*options.observation_aim) : Json(nullptr)}};
}

/// The place of each node among those that have appeared by now; -1 for the others.
std::vector<std::int64_t> Numbered(const std::vector<LifeSpan>& spans) {
  std::vector<std::int64_t> numbers;
  std::int64_t next = 0;
  for (const LifeSpan& span : spans) numbers.push_back(span.appeared ? next++ : -1);
  return numbers;
}

Json DescribeNode(NodeIndex index, const World& world, const ObserverSet& observers,
                  const Simulation& simulation, const LifeSpan& span) {
  const Node& node = world.nodes[index];
  const bool multibyte = simulation.states()[index].firmware == Firmware::kMultibyte;
  const std::int64_t observer = observers.by_node[index];
  return {{"public_key", node.keys.public_key().ToHex()},
          {"name", node.name},
          {"role", RoleName(node.role)},
          {"lat", Rounded(node.position.latitude, 1e6)},
          {"lon", Rounded(node.position.longitude, 1e6)},
          {"tells_position", node.tells_position},
          {"region", world.terrain.regions[node.region].iata},
          {"community", world.terrain.towns[node.town].name},
          {"relays", node.relays},
          {"observer", observer >= 0},
          {"firmware_multibyte", multibyte},
          {"firmware_multibyte_since", multibyte ? OptionalTime(node.multibyte_since) : Json(nullptr)},
          {"path_hash_mode", multibyte ? simulation.states()[index].path_hash_mode : 0},
          {"alive", simulation.states()[index].alive},
          {"up", simulation.states()[index].up},
          {"appeared_at", OptionalTime(world.nodes[index].appears)},
          {"died_at", OptionalTime(span.died)},
          {"advertised", simulation.tally().Advertised(index)},
          {"relayed_multibyte_heard", simulation.tally().RelayedMultibyte(index)}};
}

/// Between nodes that are alive.
Json DescribeLinks(const World& world, const NodeStates& states, const std::vector<std::int64_t>& numbers) {
  Json links = Json::array();
  for (NodeIndex a = 0; a < world.nodes.size(); ++a) {
    for (const Link& forth : world.links.From(a)) {
      if (forth.to < a || !states[a].alive || !states[forth.to].alive) continue;
      const Link& back = *world.links.Find(forth.to, a);  // links exist both ways or not at all
      links.push_back({{"a", numbers[a]},
                       {"b", numbers[forth.to]},
                       {"snr_ab", Rounded(static_cast<double>(forth.snr_db), 100)},
                       {"snr_ba", Rounded(static_cast<double>(back.snr_db), 100)},
                       {"p_ab", Rounded(static_cast<double>(forth.probability), 1000)},
                       {"p_ba", Rounded(static_cast<double>(back.probability), 1000)}});
    }
  }
  return links;
}

Json ShareValue(const Share& share) {
  return share.value ? Json(Rounded(*share.value, 1e5)) : Json(nullptr);
}

Json ShareError(const Share& share) {
  return share.value ? Json(Rounded(share.standard_error, 1e5)) : Json(nullptr);
}

Json DescribeShares(const SurvivingShares& shares) {
  return {{"observer_share", ShareValue(shares.to_observers)},
          {"observer_share_se", ShareError(shares.to_observers)},
          {"node_share", ShareValue(shares.to_nodes)},
          {"node_share_se", ShareError(shares.to_nodes)}};
}

Json DescribeSummary(const Tally& tally) {
  const Tally::Totals& totals = tally.totals();
  Json by_type = Json::object();
  for (std::size_t type = 0; type < totals.transmissions_by_type.size(); ++type) {
    if (totals.transmissions_by_type[type] == 0) continue;
    by_type[std::string(PayloadTypeName(static_cast<PayloadType>(type)))] =
        totals.transmissions_by_type[type];
  }
  return {{"messages", totals.messages},
          {"packet_messages", totals.packet_messages},
          {"status_messages", totals.status_messages},
          {"transmissions", totals.transmissions},
          {"observations", totals.observations},
          {"adverts", totals.adverts},
          {"advert_messages", totals.advert_messages},
          {"nodes_advertised", tally.NodesAdvertised()},
          {"multibyte_flood_observations", totals.multibyte_flood_observations},
          {"transmissions_by_type", by_type},
          {"first_received_at", OptionalTime(totals.first_received)},
          {"last_received_at", OptionalTime(totals.last_received)}};
}

}  // namespace

nlohmann::ordered_json DescribeTruth(const Options& options, const World& world, const ObserverSet& observers,
                                     const Simulation& simulation) {
  Json regions = Json::array(), communities = Json::array(), channels = Json::array(), nodes = Json::array();
  Json observer_keys = Json::array();
  for (const Region& region : world.terrain.regions) {
    regions.push_back({{"iata", region.iata}, {"scope", region.scope}});
  }
  for (const Town& town : world.terrain.towns) {
    communities.push_back({{"name", town.name}, {"region", world.terrain.regions[town.region].iata}});
  }
  for (const Channel& channel : simulation.channels()) {
    channels.push_back(
        {{"name", channel.name}, {"key", ToHexLower(channel.key)}, {"public", channel.key_is_known}});
  }
  for (const Observer& observer : observers.observers) {
    observer_keys.push_back(world.nodes[observer.node].keys.public_key().ToHex());
  }
  const std::vector<LifeSpan> spans = SpansOf(world, simulation);
  for (NodeIndex i = 0; i < world.nodes.size(); ++i) {
    if (spans[i].appeared) nodes.push_back(DescribeNode(i, world, observers, simulation, spans[i]));
  }
  return {{"arguments", DescribeArguments(options)},
          {"summary", DescribeSummary(simulation.tally())},
          {"regions", regions},
          {"communities", communities},
          {"channels", channels},
          {"observers", observer_keys},
          {"nodes", nodes},
          {"links", DescribeLinks(world, simulation.states(), Numbered(spans))},
          {"events", DescribeEvents(world, observers, simulation)}};
}

nlohmann::ordered_json DescribeSwitch(const SwitchOutcome& outcome, const World& world) {
  const auto of_size = [&world](const SwitchOutcome::ForSize& size) {
    Json whole = DescribeShares(size.whole);
    Json& regions = whole["regions"] = Json::object();
    for (std::size_t r = 0; r < size.regions.size(); ++r) {
      regions[world.terrain.regions[r].iata] = DescribeShares(size.regions[r]);
    }
    return whole;
  };
  Json best = Json::array();
  for (const SwitchOutcome::Upgrade& upgrade : outcome.best_upgrades) {
    best.push_back({{"public_key", world.nodes[upgrade.node].keys.public_key().ToHex()},
                    {"node_share", ShareValue(upgrade.to_nodes)},
                    {"node_share_se", ShareError(upgrade.to_nodes)}});
  }
  return {{"origins", outcome.origins},
          {"floods", outcome.floods},
          {"sizes", {{"2", of_size(outcome.two)}, {"3", of_size(outcome.three)}}},
          {"best_upgrades", best}};
}

tl::expected<void, std::string> WriteTruth(const std::string& path, const nlohmann::ordered_json& truth) {
  const std::string unfinished = path + ".tmp";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << truth.dump(1) << '\n';
  file.close();
  if (!file) {
    return tl::unexpected("cannot write " + unfinished + ": " + std::strerror(errno) +
                          "; see that its folder exists and has room");
  }
  std::error_code error;
  std::filesystem::rename(unfinished, path, error);
  if (error) return tl::unexpected("cannot rename " + unfinished + " to " + path + ": " + error.message());
  return {};
}

}  // namespace heliograph::meshsim
