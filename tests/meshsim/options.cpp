#include "tests/meshsim/options.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

#include "tests/meshsim/colliding_prefixes.h"
#include "tests/meshsim/terrain.h"

namespace heliograph::meshsim {
namespace {

constexpr const char* kDefaultStart = "2026-01-01T00:00:00Z";
constexpr std::size_t kMaxCommunityChanges = 100;
constexpr std::size_t kMaxBestUpgrades = 20;
constexpr std::size_t kMaxNodes = 20'000;  // link building looks at each pair

void AddLifeOptions(CLI::App& app, Options& options) {
  const auto add_rate = [&app](const char* name, double& rate, const char* meaning) {
    app.add_option(name, rate, meaning)->check(CLI::Range(0.0, 100.0))->capture_default_str();
  };
  add_rate("--births-per-day", options.births_per_day,
           "Nodes that appear in a day, as a share of --nodes; in all at most as many, and none after 30 "
           "days unless "
           "--days tells the end");
  add_rate("--deaths-per-day", options.deaths_per_day, "Share of the nodes that a day takes for good");
  add_rate("--absences-per-day", options.absences_per_day,
           "Share of the nodes that go away in a day, for days or weeks");
  add_rate("--moves-per-day", options.moves_per_day,
           "Share of the companions and of the repeaters on roofs that get another place in a day");
  add_rate("--mode-changes-per-day", options.mode_changes_per_day,
           "Share of the nodes with firmware 1.14 or later that change path.hash.mode in a day");
  add_rate("--bridge-failures-per-day", options.bridge_failures_per_day,
           "Share of the repeaters on ridges between regions that fail in a day, for hours or days");
  add_rate("--observer-outages-per-day", options.observer_outages_per_day,
           "How often in a day each observer loses its connection, and what it hears, for minutes to hours");
  app.add_option("--community-changes", options.community_changes,
                 "How often two regions join or part for good because the repeaters between them appear or "
                 "die; needs "
                 "--days and two --regions")
      ->check(CLI::Range(std::size_t{0}, kMaxCommunityChanges))
      ->capture_default_str();
  app.add_option(
         "--resettlements", options.resettlements,
         "How often a town is split, goes to live in another, is founded or is abandoned, in turn; needs "
         "--days")
      ->check(CLI::Range(std::size_t{0}, kMaxCommunityChanges))
      ->capture_default_str();
  app.add_option("--town-spacing", options.town_spacing_km,
                 "Kilometres between the centres of towns, where there is room")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--colliding-prefixes", options.colliding_prefixes,
                 "Pairs of relays whose keys begin with the same 2 bytes, every other pair with the same 3")
      ->check(CLI::Range(std::size_t{0}, kMaxCollidingPrefixes))
      ->capture_default_str();
}

}  // namespace

tl::expected<Options, EarlyExit> ParseOptions(std::vector<std::string> arguments, UtcMillis now) {
  Options options;
  std::string start = kDefaultStart;
  CLI::App app{"Simulates a MeshCore mesh: writes what its observers publish, and the truth behind it.",
               "meshsim"};
  app.set_version_flag("--version", HELIOGRAPH_VERSION);
  app.add_option("--seed", options.seed, "Another seed gives another mesh")->capture_default_str();
  app.add_option("--nodes", options.nodes, "Nodes of the mesh")
      ->check(CLI::Range(std::size_t{1}, kMaxNodes))
      ->capture_default_str();
  app.add_option("--regions", options.regions, "Regions, each with an IATA code")
      ->check(CLI::Range(std::size_t{1}, kMaxRegions))
      ->capture_default_str();
  app.add_option("--days", options.days, "Simulated time; 1 unless --messages or --live is given")
      ->check(CLI::PositiveNumber);
  app.add_option("--messages", options.messages, "Stop after so many messages")->check(CLI::PositiveNumber);
  app.add_option("--legacy-share", options.legacy_share,
                 "Share of the nodes with firmware before 1.14 at the start")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--upgrades-per-day", options.upgrades_per_day,
                 "Share of the legacy nodes that a day upgrades")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  AddLifeOptions(app, options);
  auto* start_option =
      app.add_option("--start", start, "Time of the first packets, RFC 3339")->capture_default_str();
  app.add_option("--observers", options.observers,
                 "Nodes that publish what they hear; a fifteenth unless told")
      ->check(CLI::PositiveNumber);
  app.add_option("--observations-per-transmission", options.observation_aim, "The mean to aim at")
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--advert-share", options.advert_share, "Share of adverts among the transmissions to aim at")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--packets-per-node-day", options.packets_per_node_day, "What a node originates in a day")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  auto* rate_option = app.add_option("--rate", options.rate, "Live, so many messages a second")
                          ->check(CLI::Range(0.001, 1e6));
  auto* live_flag =
      app.add_flag("--live", options.live, "Stamped and paced by the wall clock, until stopped");
  app.add_option("--speed", options.speed,
                 "Paced: the simulated time runs so many times faster than the wall clock")
      ->check(CLI::Range(0.001, 1e9))
      ->excludes(rate_option)
      ->excludes(live_flag);
  start_option->excludes(rate_option)->excludes(live_flag);
  auto* out_option =
      app.add_option("--out", options.out, "Capture file, or - for standard output; with --mqtt only if told")
          ->capture_default_str();
  app.add_option(
      "--mqtt", options.mqtt,
      "Publishes to the broker at mqtt://HOST:PORT with QoS 1, live unless --speed is given; a user and its "
      "password are taken from MESHSIM_MQTT_USERNAME and MESHSIM_MQTT_PASSWORD");
  auto* truth_option = app.add_option("--truth", options.truth, "Truth file");
  auto* no_switch_flag =
      app.add_flag("!--no-switch-truth", options.switch_truth,
                   "Leave out of the truth what a switch to 2 or 3 bytes would do, which costs "
                   "about 1 s at 300 nodes");
  std::vector<std::string> upgrade;
  app.add_option("--upgrade", upgrade, "Public keys of nodes that count as upgraded in that switch")
      ->delimiter(',')
      ->excludes(no_switch_flag)
      ->needs(truth_option);
  app.add_option("--best-upgrades", options.best_upgrades,
                 "How many of the upgrades that win back most of a switch to 2 bytes to look for")
      ->check(CLI::Range(std::size_t{0}, kMaxBestUpgrades))
      ->excludes(no_switch_flag)
      ->needs(truth_option);

  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    const int code = app.exit(error, text, text);
    return tl::unexpected(EarlyExit{code == 0 ? 0 : 2, text.str()});
  }
  const auto parsed = ParseTime(start);
  if (!parsed || parsed->zone == TimeZoneKnowledge::kNaive) {
    return tl::unexpected(EarlyExit{2, "--start: " + start + " is no time like " + kDefaultStart + "\n"});
  }
  for (const std::string& text : upgrade) {
    const auto key = PublicKey::FromHex(text);
    if (!key)
      return tl::unexpected(EarlyExit{2, "--upgrade: " + text + " is no public key of 64 hex digits\n"});
    options.upgrade.push_back(*key);
  }
  const bool publishes_live = !options.mqtt.empty() && !options.speed;
  if (publishes_live && start_option->count() > 0) {
    return tl::unexpected(EarlyExit{2, "--mqtt starts now; --start needs --speed with it\n"});
  }
  if (!options.mqtt.empty() && out_option->count() == 0) options.out.clear();
  options.live = options.live || options.rate.has_value() || publishes_live;
  options.start = options.live ? now : parsed->time;
  if (!options.live && !options.days && !options.messages) options.days = 1;
  if (options.community_changes > 0 && (!options.days || options.regions < 2)) {
    return tl::unexpected(EarlyExit{2, "--community-changes needs --days and at least two --regions\n"});
  }
  if (options.resettlements > 0 && (!options.days || options.resettlements > options.nodes)) {
    return tl::unexpected(EarlyExit{2, "--resettlements needs --days, and no more of them than --nodes\n"});
  }
  return options;
}

}  // namespace heliograph::meshsim
