#include "tests/meshsim/capture.h"

#include <algorithm>
#include <stdexcept>

#include "tests/meshsim/truth_writer.h"

namespace heliograph::meshsim {
namespace {

constexpr double kRoomAboveAim = 1.15;
constexpr double kDaysOfBirths = 30;  // when nothing tells how long the run lasts
constexpr std::uint64_t kObserverStream = 4;
constexpr std::uint64_t kSwitchStream = 5;

std::chrono::milliseconds Days(double days) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(days * 86'400'000));
}

SimulationOptions ForSimulation(const Options& options) {
  SimulationOptions out;
  out.start = options.start;
  if (options.days) {
    out.end = options.start + Days(*options.days);
  }
  out.message_limit = options.messages;
  out.packets_per_node_day = options.packets_per_node_day;
  out.messages_per_second = options.rate;
  out.observation_aim = options.observation_aim;
  out.advert_share = options.advert_share;
  out.life = {options.deaths_per_day, options.absences_per_day, options.moves_per_day,
              options.mode_changes_per_day, options.bridge_failures_per_day};
  out.observer_outages_per_day = options.observer_outages_per_day;
  return out;
}

PopulationOptions ForPopulation(const Options& options) {
  PopulationOptions out;
  out.node_count = options.nodes;
  out.legacy_share = options.legacy_share;
  out.upgrades_per_day = options.upgrades_per_day;
  out.start = options.start;
  out.span = Days(options.days.value_or(kDaysOfBirths));
  out.births_per_day = options.births_per_day;
  out.community_changes = options.community_changes;
  out.colliding_prefixes = options.colliding_prefixes;
  out.resettlements = options.resettlements;
  out.town_spacing_km = options.town_spacing_km;
  return out;
}

}  // namespace

Capture::Capture(const Options& options)
    : options_(options),
      simulation_options_(ForSimulation(options)),
      random_(options.seed),
      world_(BuildWorld(options.regions, ForPopulation(options), random_)) {
  const std::size_t usual = std::max<std::size_t>(3, options.nodes / 15);
  observers_ = ChooseObservers(world_, options.observers.value_or(usual), random_.Fork(kObserverStream));
  if (options.observation_aim) ChooseObserversForAim();
  simulation_ = std::make_unique<Simulation>(world_, observers_, simulation_options_, natural_, random_);
}

void Capture::ChooseObserversForAim() {
  natural_ = NaturalObservations(world_, observers_, simulation_options_, random_);
  while (!options_.observers && natural_ < *options_.observation_aim * kRoomAboveAim &&
         observers_.observers.size() < world_.nodes.size()) {
    const std::size_t more = observers_.observers.size() * 5 / 4 + 1;
    observers_ = ChooseObservers(world_, more, random_.Fork(kObserverStream));
    natural_ = NaturalObservations(world_, observers_, simulation_options_, random_);
  }
}

nlohmann::ordered_json Capture::Truth() const {
  nlohmann::ordered_json truth = DescribeTruth(options_, world_, observers_, *simulation_);
  if (options_.switch_truth) truth["switch"] = SwitchTruth();
  return truth;
}

nlohmann::ordered_json Capture::SwitchTruth() const {
  SwitchQuestion question;
  question.best_upgrades = options_.best_upgrades;
  for (const PublicKey& key : options_.upgrade) {
    const auto found =
        std::ranges::find(world_.nodes, key, [](const Node& node) { return node.keys.public_key(); });
    if (found == world_.nodes.end()) {
      throw std::runtime_error("--upgrade: no node of this mesh has the key " + key.ToHex());
    }
    question.upgraded.push_back(static_cast<NodeIndex>(found - world_.nodes.begin()));
  }
  const SwitchOutcome outcome = EstimateSwitch(world_, observers_, simulation_->states(),
                                               tally().advertised(), question, random_.Fork(kSwitchStream));
  nlohmann::ordered_json out = DescribeSwitch(outcome, world_);
  nlohmann::ordered_json& upgraded = out["upgraded"] = nlohmann::ordered_json::array();
  for (const PublicKey& key : options_.upgrade) upgraded.push_back(key.ToHex());
  return out;
}

}  // namespace heliograph::meshsim
