#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "tests/meshsim/options.h"
#include "tests/meshsim/simulation.h"
#include "tests/meshsim/switch_outcome.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// The truth behind a capture: `arguments`, `regions`, `communities`, `channels`, `observers` (keys),
/// `nodes` that have appeared, `links` (indices of nodes, those alive), `events` and `summary`, as they are
/// at the end of the run. Keys are lower-case hex; times are as in FormatTime; unknown is null.
nlohmann::ordered_json DescribeTruth(const Options& options, const World& world, const ObserverSet& observers,
                                     const Simulation& simulation);

/// `switch` of the truth: `sizes` "2" and "3" with `observer_share`, `node_share`, their standard errors
/// (`_se`) and the same for each of the `regions`; a share is null when there is nothing to lose. `origins`
/// is how many nodes floods were drawn for, `floods` how many in all. `best_upgrades` has keys, the best
/// first, each with the `node_share` of two bytes after it and those before it.
nlohmann::ordered_json DescribeSwitch(const SwitchOutcome& outcome, const World& world);

/// Replaces the file at `path`, whole or not at all. The error is a text for a person.
tl::expected<void, std::string> WriteTruth(const std::string& path, const nlohmann::ordered_json& truth);

}  // namespace heliograph::meshsim
