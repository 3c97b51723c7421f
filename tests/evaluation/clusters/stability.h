#pragma once

#include <nlohmann/json.hpp>

namespace heliograph::evaluation {

/// Divides graphs of each kind (two that do not change, and a planted world) again, in another order, under
/// other names, and after a loss of edges. Prints a table, adds the figures to `report`, and returns whether
/// the gates hold: the same for the same input in whatever order, and an adjusted Rand index of at least 0.95
/// and 0.90 to what it was before 1 % and 5 % of the edges went.
bool EvaluateStability(int graphs, int first_seed, nlohmann::json& report);

}  // namespace heliograph::evaluation
