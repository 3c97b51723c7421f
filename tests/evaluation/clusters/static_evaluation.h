#pragma once

#include <nlohmann/json.hpp>

namespace heliograph::evaluation {

/// Divides graphs of known groups: `graphs` of each model and mixing. Prints a table, adds the figures to
/// `report`, and returns whether the gates hold: nowhere worse than what hangs together, and nowhere more
/// than 0.01 below a cold pass of the Leiden method.
bool EvaluateStatic(int graphs, int first_seed, nlohmann::json& report);

}  // namespace heliograph::evaluation
