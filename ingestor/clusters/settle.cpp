#include <algorithm>

#include "ingestor/clusters/matcher.h"

namespace heliograph::ingestor {

DecisionState Settle(const OpenDecision& decision, const std::vector<TrackKey>& matched) {
  const auto goes_on = [&](TrackKey track) {
    return std::binary_search(matched.begin(), matched.end(), track);
  };
  const auto confirmed_if = [](bool holds) {
    return holds ? DecisionState::kConfirmed : DecisionState::kReverted;
  };
  const bool itself = decision.track && goes_on(*decision.track);
  switch (decision.outcome) {
    case LineageOutcome::kNew:
      return confirmed_if(itself);
    case LineageOutcome::kDissolved:
      return confirmed_if(!itself);
    case LineageOutcome::kUpdated:
      break;
  }
  // Of a merge or a split, what came or left decides: it is taken back when all of that is as it was.
  const auto& children = decision.child_tracks;
  const auto& merged = decision.other_tracks;
  if (!merged.empty()) return confirmed_if(!std::all_of(merged.begin(), merged.end(), goes_on));
  if (!children.empty()) return confirmed_if(std::any_of(children.begin(), children.end(), goes_on));
  return confirmed_if(itself);
}

}  // namespace heliograph::ingestor
