#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/node.h"

namespace heliograph::meshsim {

enum class LifeEventKind : std::uint8_t {
  kAppears,          ///< for the first time
  kDies,             ///< for good
  kFails,            ///< for hours
  kReturns,          ///< from that
  kGoesAway,         ///< for days or weeks
  kComesBack,        ///< from that
  kBridgeFails,      ///< a repeater on a ridge, for hours or days
  kBridgeReturns,    ///< from that
  kMoves,            ///< to another place
  kUpgrades,         ///< to multi-byte firmware
  kChangesMode,      ///< path.hash.mode
  kCommunitiesJoin,  ///< the repeaters between two regions appear
  kCommunitiesPart,  ///< they die
  kTownFounded,      ///< by newcomers, all at once
  kTownAbandoned,    ///< all who live there die
  kTownSplits,       ///< some of those who live there move to a new one
  kTownMerges,       ///< all who live there move to another
};

/// The name of the kind in the truth: "appears", "communities_join".
std::string_view LifeEventName(LifeEventKind kind);

/// Something that happened to the mesh.
struct LifeEvent {
  UtcMillis at;
  LifeEventKind kind = LifeEventKind::kAppears;
  std::vector<NodeIndex> nodes;  ///< one, but for communities and towns

  // Of a node that appears or moves, where it is then; of one that moves, where it was. Of towns, the one
  // that its nodes are in afterwards and the one that they were in before.
  GeoPoint position, old_position;
  std::size_t town = 0, old_town = 0;
  // Of a change of mode, the new one.
  std::uint8_t path_hash_mode = 0;
  // Of communities:
  std::size_t region = 0, far_region = 0;
  bool connected_before = false,
       connected_after = false;  ///< some relays carry packets between the two regions
};

}  // namespace heliograph::meshsim
