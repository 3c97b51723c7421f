#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "tests/meshsim/options.h"
#include "tests/meshsim/simulation.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// The truth behind a capture: `arguments`, `regions`, `communities`, `channels`, `observers` (keys),
/// `nodes`, `links` (node indices) and `summary`. Keys are lower-case hex; times are as in FormatTime;
/// unknown is null.
nlohmann::ordered_json DescribeTruth(const Options& options, const World& world, const ObserverSet& observers,
                                     const Simulation& simulation);

/// Replaces the file at `path`, whole or not at all. The error is a text for a person.
tl::expected<void, std::string> WriteTruth(const std::string& path, const nlohmann::ordered_json& truth);

}  // namespace heliograph::meshsim
