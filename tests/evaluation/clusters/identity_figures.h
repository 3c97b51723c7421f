#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/evaluation/clusters/planted_dynamics.h"

namespace heliograph::evaluation {

/// An event as a rule reported it, by the rule's own ids.
struct ReportedEvent {
  PlantedEvent::Kind kind{};
  std::size_t run = 0;  ///< in which it was reported as certain
  /// What merged (without the one that it merged into, if that is known), what was split, or what ended.
  std::set<int> sources;
  std::set<int> results;  ///< into which it merged, what split off, or what began
};

struct IdentityFigures {
  double idf1 = 0;               ///< Ristani 2016, over pairs of item and run
  double switches = 0;           ///< in a thousand steps of an item whose true group did not change
  double ids_for_each_true = 0;  ///< ids that were made for one true group
};

struct EventFigures {
  std::size_t reported = 0, planted = 0, right = 0;
  double delay = 0;  ///< runs from the event to the report, on average
  double precision() const;
  double recall() const;
  double f() const;
};

/// Follows the true groups and the ids of one rule through all runs.
class IdentityScore {
 public:
  /// Each item's true group and the id that the rule gave to its cluster, if any.
  void AddRun(const std::map<int, int>& truth, const std::map<int, int>& ids);

  IdentityFigures Identity(int true_groups) const;
  /// Of the events of these kinds. One is right when its groups are those that the ids stand for and it is
  /// at most `tolerance` runs away from the planted one; each counts once.
  EventFigures Events(const std::vector<PlantedEvent>& planted, const std::vector<ReportedEvent>& reported,
                      const std::set<PlantedEvent::Kind>& kinds, std::size_t tolerance) const;

 private:
  /// For each id the group that it stands for in the one-to-one assignment with the most common pairs.
  std::map<int, int> GroupOfId() const;

  std::map<std::pair<int, int>, std::size_t> common_;  ///< of group and id
  std::size_t truth_pairs_ = 0, id_pairs_ = 0, steps_ = 0, switches_ = 0;
  std::set<int> ids_;
  std::map<int, std::pair<int, int>> last_;  ///< group and id of each item in the last run
};

}  // namespace heliograph::evaluation
