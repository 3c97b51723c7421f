#pragma once

#include <array>
#include <vector>

#include "server/analytics/relay_graph.h"

namespace heliograph::server {

/// What was seen of one node on the air: expected numbers of floods, first those with hashes of 1 byte, then
/// those with larger ones.
struct HeardSender {
  std::array<double, 2> relayed{};
  std::array<double, 2> originated{};
  bool relays = false;
  double capable = 1;  ///< the probability that it takes multi-byte packets at all
};

/// What was seen of one direction between two nodes, in the same classes.
struct HeardPair {
  GraphNode from = 0, to = 0;
  std::array<double, 2> forwarded{};  ///< floods that `to` sent on after `from`
  std::array<double, 2> reported{};   ///< floods that `to`, an observer, reported from `from` itself
};

/// Which share of the packets that one node sends another one receives, from what observers saw of it.
///
/// - A sending that nobody reports and nobody is seen to pass on stays unseen. How many there are follows
/// from
///   how often the several ways of seeing a sender agree (Lincoln and Petersen's estimate of a population
///   that is caught more than once).
/// - Reports of an observer are direct: their share of what was sent.
/// - A relay shows only the first from which it received a flood. Its neighbours race for that: each wins in
///   proportion to -log(1 - p), and all together lose when it receives nothing. What an originator's own
///   packet shows is not subject to it, because nobody else can have it before.
/// - A node that only listens is never seen to receive. What it receives is taken from what it sends, for a
///   radio link is much the same both ways; likewise where a direction has been seen too rarely.
///
/// REQUIRED: ends of pairs are below the number of senders. Links of 2 % and less are left out.
std::vector<RelayLink> EstimateLinks(const std::vector<HeardSender>& senders,
                                     const std::vector<HeardPair>& pairs);

}  // namespace heliograph::server
