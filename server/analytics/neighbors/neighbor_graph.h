#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/neighbor_snapshot.h"
#include "server/analytics/clusters/item_graph.h"
#include "server/analytics/relay_evidence.h"
#include "server/analytics/station_directory.h"

namespace heliograph::server {

/// Which pairs are no neighbors.
struct NeighborRules {
  /// A longer way no LoRa radio on the ground has: two mountains of 3000 m see each other at 450 km.
  /// CoreScope's value.
  double max_distance_km = 500;
  /// Not heard for so long before the newest packet.
  std::chrono::hours max_age{5 * 24};
  /// Expected floods, in both directions together: below it, that there was none at all is more probable than
  /// one.
  double least_count = 0.5;
};

/// As the operator wants them.
NeighborRules RulesOf(const Config& config);

/// Who hands floods to whom, as of one moment.
struct NeighborGraph {
  std::string epoch;                   ///< of the database
  std::int64_t watermark = 0;          ///< highest observation that is in it
  std::int64_t head_seq = 0;           ///< commit that main stood at
  std::optional<UtcMillis> data_time;  ///< newest receipt at the watermark
  std::vector<NeighborEdge> edges;     ///< ascending by a, then b
  /// By edge: the observers that showed it, those that are known for the longest; at most
  /// ObserverTally::kNamed. Empty as a whole when only the stored edges are known.
  std::vector<std::vector<PublicKey>> observers;
  std::size_t too_far = 0;  ///< pairs that were left out for their distance

  /// True when both say the same of the mesh; main's head, which moves without it, is left out.
  bool SaysTheSame(const NeighborGraph& other) const {
    return epoch == other.epoch && watermark == other.watermark && data_time == other.data_time &&
           too_far == other.too_far && edges == other.edges && observers == other.observers;
  }
};

/// The pairs of the evidence that pass the rules, with counts rounded to 0.01 and SNR to 0.1 dB. Pairs of
/// stations that the directory does not know are left out. The caller fills in epoch, watermark and head.
NeighborGraph CollectNeighbors(const RelayEvidence& evidence, const StationDirectory& stations,
                               std::optional<UtcMillis> data_time, const NeighborRules& rules);

/// How established an edge is, 0 to 1: full after 100 floods, halved by every week without one. CoreScope's
/// affinity.
double ScoreOf(const NeighborEdge& edge, std::optional<UtcMillis> data_time);

/// The score, less where few saw it and where it is heard badly, above 0: full from 3 observers on and from 0
/// dB on, half at -15 dB, where the usual settings stop to decode; three quarters where nobody told.
double WeightOf(const NeighborEdge& edge, std::optional<UtcMillis> data_time);

/// The edges with a count of at least `least_count` as a weighted graph of keys in lower-case hex. Edges keep
/// their order.
ItemGraph AsItemGraph(const NeighborGraph& neighbors, double least_count = 0);

/// True when `computed` says something else than `stored` that is worth storing: a count that differs by more
/// than half a flood and a tenth, another number of observers, an SNR that moved by more than 1 dB, an hour
/// more.
bool DiffersForStorage(const NeighborEdge& stored, const NeighborEdge& computed);

/// What shall be stored: the computed edges, but those that differ from the stored too little to matter as
/// they are stored, so that a mesh where little happens causes few writes. REQUIRED: both in ascending order.
NeighborSnapshot MergeForStorage(const std::vector<NeighborEdge>& stored,
                                 const std::vector<NeighborEdge>& computed);

}  // namespace heliograph::server
