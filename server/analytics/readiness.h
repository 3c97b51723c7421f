#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/capability.h"
#include "common/public_key.h"
#include "common/switch_readiness.h"
#include "server/analytics/relay_graph.h"

namespace heliograph::server {

/// A place in ReadinessInput::regions.
using RegionIndex = std::uint16_t;

/// What the forecast needs to know of one node of the graph.
struct ReadinessNode {
  PublicKey public_key;
  CapabilityStatus status = CapabilityStatus::kUnknown;
  double capable = 0.5;  ///< the probability that its firmware takes multi-byte packets
  bool likely_legacy = false;
  bool has_evidence = false;      ///< `capable` rests on more than what is usual in this mesh
  bool advertises = false;        ///< by flood, and is active: an origin, and a destination for the others
  std::uint8_t present_size = 1;  ///< of the hashes of its newest own advert
  bool relays = false;
  double relayed = 0;                      ///< how much it forwards, in any unit that is the same for all
  std::optional<RegionIndex> home;         ///< the region of the observers that hear it most
  std::optional<RegionIndex> observer_in;  ///< the region that it reports for, when it is an observer
};

/// The mesh as it is today.
struct ReadinessInput {
  RelayGraph graph;
  std::vector<ReadinessNode> nodes;   ///< by GraphNode
  std::vector<std::string> regions;   ///< IATA codes, sorted
  std::int64_t multibyte_floods = 0;  ///< transmissions with larger hashes that were heard
};

/// What a switch of everyone who can to hashes of 2 or 3 bytes would leave of today's deliveries.
///
/// A delivery is a flood, unscoped, that an observer reports or that a node which advertises receives, its
/// origin left out. Each node that advertises is an origin of equal weight. Today its flood has the size of
/// its newest advert; after the switch an origin with capable firmware sends with the larger of that and the
/// new size, any other goes on with 1 byte. Firmware before 1.14 neither forwards, receives nor reports
/// multi-byte packets. A region's figures count the destinations in it.
///
/// The figures are expected values over possible worlds, in each of which every link and every firmware is
/// drawn from its probability; the interval is that of the worlds, widened by how far such a model has been
/// seen to be wrong, which grows as knowledge shrinks. The same input gives the same answer.
SwitchReadiness AssessSwitch(const ReadinessInput& input);

}  // namespace heliograph::server
