#pragma once

#include <cstdint>

#include "tests/evaluation/clusters/divider.h"

namespace heliograph::evaluation {

/// The two ways to plant groups in a graph that does not change.
enum class StaticModel {
  /// Sizes and degrees by power laws, and each item with the same share of edges that leave its group: after
  /// Lancichinetti, Fortunato, Radicchi 2008, with duplicate edges left out instead of rewired.
  kLfr,
  /// Groups of one size whose members attract edges unequally: the degree-corrected stochastic block model of
  /// Karrer and Newman 2011.
  kBlock,
};

const char* NameOf(StaticModel model);

/// About 1000 items with about 10 edges each, of which the share `mixing` leaves the group. The same seed
/// gives the same graph. REQUIRED: 0 <= mixing < 1.
Moment DrawStaticGraph(StaticModel model, double mixing, std::uint64_t seed);

}  // namespace heliograph::evaluation
