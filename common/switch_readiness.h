#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/public_key.h"

namespace heliograph {

/// A share of today's deliveries that survives, 0 to 1, with the interval that holds the truth in 80 % of the
/// cases. low <= share <= high.
struct ShareEstimate {
  double share = 0;
  double low = 0;
  double high = 1;

  bool operator==(const ShareEstimate&) const = default;
};

/// A relay without whose upgrade less survives.
struct SwitchBlocker {
  PublicKey public_key;
  double gain = 0;  ///< what its upgrade adds to the share of deliveries to nodes, after those before it

  bool operator==(const SwitchBlocker&) const = default;
};

/// What survives when everyone who can sends with hashes of one size from now on.
struct SwitchForecast {
  /// Deliveries from the nodes that advertise to the observers that report them; nothing when no delivery is
  /// expected today.
  std::optional<ShareEstimate> observer_share;
  /// Deliveries to the nodes that receive them.
  std::optional<ShareEstimate> node_share;
  std::vector<SwitchBlocker> blockers;  ///< in the order in which upgrading wins back most; at most 10

  bool operator==(const SwitchForecast&) const = default;
};

/// What one status carries of the traffic that relays forward. The four add up to 1, or are all 0 when
/// nothing was seen to be relayed.
struct RelayedTraffic {
  double confirmed = 0;
  double suspected = 0;
  double likely_legacy = 0;  ///< unknown, and likely to drop multi-byte floods
  double unknown = 0;        ///< all other unknown ones

  bool operator==(const RelayedTraffic&) const = default;
};

/// How much the forecast knows: what makes its intervals narrow or wide.
struct ReadinessKnowledge {
  std::int64_t observers = 0;            ///< that reported packets
  std::int64_t multibyte_floods = 0;     ///< transmissions with hashes of 2 or 3 bytes that were heard
  std::int64_t nodes = 0;                ///< that advertise: the origins and destinations of the forecast
  std::int64_t nodes_with_evidence = 0;  ///< of those: proof, a hint, or opportunities not taken
  double traffic_with_evidence = 0;      ///< share of the relayed traffic that such relays carry, 0 to 1

  bool operator==(const ReadinessKnowledge&) const = default;
};

/// The whole mesh, or the destinations in one region: observers of that IATA code, and nodes that are mostly
/// heard by them.
struct ReadinessScope {
  std::string region;  ///< empty: the whole mesh
  RelayedTraffic traffic;
  ReadinessKnowledge knowledge;
  SwitchForecast two_bytes;
  SwitchForecast three_bytes;

  bool operator==(const ReadinessScope&) const = default;
};

/// Whether the mesh can switch, as of one watermark.
struct SwitchReadiness {
  std::vector<ReadinessScope> scopes;  ///< sorted by region, each region once; the whole mesh first

  /// Null when there is no such region.
  const ReadinessScope* Find(const std::string& region) const;
  bool operator==(const SwitchReadiness&) const = default;
};

inline constexpr std::size_t kMaxSwitchBlockers = 10;
/// More regions than this are not told apart.
inline constexpr std::size_t kMaxReadinessRegions = 64;

/// As it is stored and sent: every share in steps of 0.01, and gains in steps of 0.001.
SwitchReadiness Rounded(SwitchReadiness readiness);

/// True when `now` says something else than `stored`, and not merely the same a little differently: a share,
/// a bound or a gain that moved by 0.03 or more, one that came or went, or another blocker of weight.
/// Counters alone never differ.
bool DiffersForStorage(const ReadinessScope& stored, const ReadinessScope& now);
/// The same for all scopes: also when a region came or went.
bool DiffersForStorage(const SwitchReadiness& stored, const SwitchReadiness& now);

}  // namespace heliograph
