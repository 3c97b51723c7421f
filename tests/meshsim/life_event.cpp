#include "tests/meshsim/life_event.h"

namespace heliograph::meshsim {

std::string_view LifeEventName(LifeEventKind kind) {
  switch (kind) {
    case LifeEventKind::kAppears:
      return "appears";
    case LifeEventKind::kDies:
      return "dies";
    case LifeEventKind::kFails:
      return "fails";
    case LifeEventKind::kReturns:
      return "returns";
    case LifeEventKind::kGoesAway:
      return "goes_away";
    case LifeEventKind::kComesBack:
      return "comes_back";
    case LifeEventKind::kBridgeFails:
      return "bridge_fails";
    case LifeEventKind::kBridgeReturns:
      return "bridge_returns";
    case LifeEventKind::kMoves:
      return "moves";
    case LifeEventKind::kUpgrades:
      return "upgrades";
    case LifeEventKind::kChangesMode:
      return "changes_mode";
    case LifeEventKind::kCommunitiesJoin:
      return "communities_join";
    case LifeEventKind::kCommunitiesPart:
      return "communities_part";
    case LifeEventKind::kTownFounded:
      return "community_founded";
    case LifeEventKind::kTownAbandoned:
      return "community_abandoned";
    case LifeEventKind::kTownSplits:
      return "community_splits";
    case LifeEventKind::kTownMerges:
      return "community_merges";
  }
  return "";
}

}  // namespace heliograph::meshsim
