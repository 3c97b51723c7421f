#pragma once

#include "server/analytics/clusters/grouping.h"

namespace heliograph::evaluation {

/// How like two groupings of the same items are: 1 for the same, about 0 for unrelated ones.
struct PartitionFigures {
  double ari = 0;  ///< adjusted Rand index (Hubert and Arabie 1985)
  double ami = 0;  ///< adjusted mutual information
};

/// The mutual information of two groupings above that of chance, as a share of what it could be: the expected
/// value is the exact one of random groupings with the same sizes, the normaliser the arithmetic mean of the
/// two entropies (Vinh, Epps, Bailey 2010). 1 when both are trivial in the same way. REQUIRED: equally many
/// labels.
double AdjustedMutualInformation(const server::Grouping& a, const server::Grouping& b);

PartitionFigures Compare(const server::Grouping& truth, const server::Grouping& found);

}  // namespace heliograph::evaluation
