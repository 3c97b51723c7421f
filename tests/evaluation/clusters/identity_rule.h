#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingestor/clusters/track_book.h"
#include "tests/evaluation/clusters/identity_figures.h"

namespace heliograph::evaluation {

/// A way to carry identities from run to run, and what it reports of merges, splits, births and deaths.
class IdentityRule {
 public:
  explicit IdentityRule(MatchRule rule) : rule_(rule) {}

  /// `clusters` of items, and those that are in none. Returns the id of each item's cluster.
  std::map<int, int> Advance(const std::vector<std::vector<int>>& clusters,
                             const std::vector<int>& unclustered);

  const std::vector<ReportedEvent>& events() const { return events_; }

 private:
  void ReportSettled(const ingestor::RunConclusion& conclusion);
  /// The events that the second earlier system derives from a plain match: of an old cluster without a
  /// successor, two or more new ones with at least two of its members each are a split; of a new one without
  /// a predecessor, two or more old ones likewise are a merge. All others end and begin.
  void ReportByOverlap(const ingestor::RunConclusion& conclusion);

  MatchRule rule_;
  ingestor::TrackBook book_;
  ingestor::LineageNumbers numbers_;
  std::size_t run_ = 0;
  std::map<std::int64_t, ReportedEvent> waiting_;  ///< by decision: tentative ones
  std::map<int, std::vector<int>> last_;           ///< members by id, of the last run
  std::vector<ReportedEvent> events_;
};

}  // namespace heliograph::evaluation
