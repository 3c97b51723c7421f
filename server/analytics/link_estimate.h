#pragma once

#include <array>
#include <optional>
#include <vector>

#include "common/geo_filter.h"
#include "server/analytics/relay_graph.h"

namespace heliograph::server {

/// What was seen of one node on the air: expected numbers of floods, first those with hashes of 1 byte, then
/// those with larger ones.
struct HeardSender {
  std::array<double, 2> relayed{};
  std::array<double, 2> originated{};
  bool relays = false;
  double capable = 1;  ///< the probability that it takes multi-byte packets at all
  std::optional<GeoPoint> position;
};

/// What was seen of one direction between two nodes, in the same classes.
struct HeardPair {
  GraphNode from = 0, to = 0;
  std::array<double, 2> forwarded{};  ///< floods that `to` sent on after `from`
  std::array<double, 2> reported{};   ///< floods that `to`, an observer, reported from `from` itself
};

/// Which share of the packets that one node sends another one receives, from what observers saw of it. Links
/// of 2 % and less are left out.
///
/// - What an observer reports is direct: its share of what was sent. A sending that nobody reports and nobody
/// is
///   seen to pass on stays unseen; how many there are follows from how often the several ways of seeing a
///   sender agree (Lincoln and Petersen's estimate of a population that is caught more than once).
/// - A relay shows only the first from which it received a flood, so that in a dense mesh even its best link
/// wins
///   but a few floods. How probable a link is for a share of won floods in one direction and in the other,
///   and for its length, is a logistic regression over simulated meshes. Lengths count in the median length
///   of the links of this mesh, and only where both ends tell a position.
/// - A node that only listens is never seen to receive. What it receives is taken from what it sends, for a
///   radio link is much the same both ways. It sends rarely, so that it has neighbours which were never seen
///   to hear it: those that are near enough, by a second regression.
///
/// REQUIRED: ends of pairs are below the number of senders; the pairs are sorted by their ends, each once.
std::vector<RelayLink> EstimateLinks(const std::vector<HeardSender>& senders,
                                     const std::vector<HeardPair>& pairs);

}  // namespace heliograph::server
