#pragma once

#include <nlohmann/json.hpp>

#include "tests/meshsim/simulation.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// `events` of the truth, in the order of their times: each has `time`, `kind` (LifeEventName, or
/// `observer_loses_connection` with `until`) and `node`, or `nodes` for communities. Nodes are keys. Those
/// that appear have `community`, `region`, `lat` and `lon`; those that move the same and, with `from_`
/// before, what it was; those that change their mode `path_hash_mode`; communities that join or part have
/// the `regions` and say whether these were `connected_before` and are `connected_after`; one that is founded
/// or abandoned, that splits or merges has `from_community` and `community`, null where there is none. Each
/// of its nodes has an event of its own, too.
nlohmann::ordered_json DescribeEvents(const World& world, const ObserverSet& observers,
                                      const Simulation& simulation);

}  // namespace heliograph::meshsim
