#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/evaluation/clusters/way.h"

namespace heliograph::evaluation {

/// A simulated mesh as the programs saw it, step by step, beside the truth about its communities.
struct MeshHistory {
  History history;   ///< graphs of neighbors, weighed as the programs weigh them
  History by_score;  ///< the same, weighed by WeightOf: as if each flood were as good as any other
  double hours = 0;  ///< between two steps
  std::vector<std::map<int, int>> tracks;  ///< by step: what the programs say that an item belongs to
  std::vector<ReportedEvent> reported;     ///< by the programs
  PartitionFigures partition;              ///< of the programs' clusters, means over the steps
  PartitionFigures at_end;                 ///< of those of the last step
  /// Who can truly hear whom at the end, weighed by the probability that a frame gets through; the items of
  /// the last step. What no analysis of packets can surpass.
  Moment links;
};

/// Reads what mesh_history.py wrote. A report of an event may be off by `tolerance_hours`. Throws
/// std::runtime_error, which names the file.
MeshHistory ReadMeshHistory(const std::string& path, double tolerance_hours);

}  // namespace heliograph::evaluation
