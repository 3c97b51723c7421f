#include "tests/meshsim/truth_writer.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace heliograph::meshsim {
namespace {

using Json = nlohmann::ordered_json;

double Rounded(double value, double steps) {
  return std::round(value * steps) / steps;
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
          {"start", FormatTime(options.start)},
          {"days", options.days ? Json(*options.days) : Json(nullptr)},
          {"messages", options.messages ? Json(*options.messages) : Json(nullptr)},
          {"advert_share", options.advert_share},
          {"observations_per_transmission",
           options.observation_aim ? Json(*options.observation_aim) : Json(nullptr)}};
}

Json DescribeNode(NodeIndex index, const World& world, const ObserverSet& observers,
                  const Simulation& simulation) {
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
          {"advertised", simulation.tally().Advertised(index)},
          {"relayed_multibyte_heard", simulation.tally().RelayedMultibyte(index)}};
}

Json DescribeLinks(const World& world) {
  Json links = Json::array();
  for (NodeIndex a = 0; a < world.nodes.size(); ++a) {
    for (const Link& forth : world.links.From(a)) {
      const Link* back = forth.to > a ? world.links.Find(forth.to, a) : nullptr;
      if (back == nullptr) continue;
      links.push_back({{"a", a},
                       {"b", forth.to},
                       {"snr_ab", Rounded(static_cast<double>(forth.snr_db), 100)},
                       {"snr_ba", Rounded(static_cast<double>(back->snr_db), 100)},
                       {"p_ab", Rounded(static_cast<double>(forth.probability), 1000)},
                       {"p_ba", Rounded(static_cast<double>(back->probability), 1000)}});
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
  for (NodeIndex i = 0; i < world.nodes.size(); ++i)
    nodes.push_back(DescribeNode(i, world, observers, simulation));
  return {{"arguments", DescribeArguments(options)},
          {"summary", DescribeSummary(simulation.tally())},
          {"regions", regions},
          {"communities", communities},
          {"channels", channels},
          {"observers", observer_keys},
          {"nodes", nodes},
          {"links", DescribeLinks(world)}};
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
