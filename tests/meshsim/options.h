#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/public_key.h"
#include "common/time.h"

namespace heliograph::meshsim {

/// The command line.
struct Options {
  std::uint64_t seed = 1;
  std::size_t nodes = 300;
  std::size_t regions = 3;
  std::optional<double> days;
  std::optional<std::uint64_t> messages;
  double legacy_share = 0.3;
  double upgrades_per_day = 0.01;
  double births_per_day = 0.002;  ///< of the nodes, like the next ones
  double deaths_per_day = 0.002;
  double absences_per_day = 0.003;
  double moves_per_day = 0.002;
  double mode_changes_per_day = 0.003;
  double bridge_failures_per_day = 0.05;
  std::size_t community_changes = 0;
  std::size_t colliding_prefixes = 0;
  std::size_t resettlements = 0;
  double town_spacing_km = 0;
  double observer_outages_per_day = 0.2;
  UtcMillis start;
  std::optional<std::size_t> observers;
  std::optional<double> observation_aim;
  double advert_share = 0.2;
  double packets_per_node_day = 40;
  std::optional<double> rate;
  bool live = false;
  std::optional<double> speed;  ///< how much faster than the wall clock the simulated time runs
  std::string out = "-";        ///< empty: nowhere
  std::string mqtt;             ///< a broker's address; empty: none
  std::string truth;
  bool switch_truth = true;        ///< the truth tells what a switch to larger hashes would leave
  std::vector<PublicKey> upgrade;  ///< counted as upgraded there
  std::size_t best_upgrades = 0;   ///< how many to look for
};

/// What the program prints and exits with instead of running.
struct EarlyExit {
  int code = 0;  ///< 0 after --help and --version, 2 for a usage error
  std::string text;
};

/// Reads the arguments after the program's name. `--rate` implies `live`, and so does `--mqtt` without
/// `--speed`; a live run starts at `now`, and ends only at a limit that was given. Another run lasts a day
/// unless told otherwise.
tl::expected<Options, EarlyExit> ParseOptions(std::vector<std::string> arguments, UtcMillis now);

}  // namespace heliograph::meshsim
