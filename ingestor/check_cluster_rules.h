#pragma once

#include <span>

namespace heliograph::ingestor {

/// A rule that must hold in every database, as a query for the rows that break it: one text for each.
struct CheckRule {
  const char* text;
  const char* violations;
};

/// Those of the tables of clusters, but for what every table of intervals keeps to.
std::span<const CheckRule> ClusterCheckRules();

}  // namespace heliograph::ingestor
