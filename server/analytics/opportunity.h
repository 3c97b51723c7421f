#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "common/identity_key.h"
#include "common/time.h"
#include "server/analytics/flood_sample.h"
#include "server/analytics/hop_resolver.h"

namespace heliograph::server {

/// Spans of equal length into which the time of the multi-byte floods is divided, so that an upgrade between
/// them can be told from silence.
inline constexpr std::size_t kOpportunitySpans = 8;
using BySpan = std::array<double, kOpportunitySpans>;

/// A neighbour whose multi-byte floods a node was in a position to relay.
struct OpportunityNeighbor {
  IdentityKey node{};
  double rate = 0;      ///< share of the neighbour's 1-byte floods that the node was seen to forward
  double floods = 0;    ///< multi-byte floods in which the neighbour was seen to send
  double expected = 0;  ///< of those, how many a capable node would have been seen to forward
};

/// What one node had the chance to show, and did. Numbers are of all floods, extended from the sample.
struct Opportunity {
  BySpan relays_expected{};   ///< multi-byte floods that it would have been seen to relay, were it capable
  double relays_seen = 0;     ///< and those that it was
  double surest_relay = 0;    ///< of the sampled floods, the highest probability that a hop was this node
  BySpan reports_expected{};  ///< multi-byte floods that it would have reported as an observer
  double reports_seen = 0;
  /// Multi-byte floods in which it would have been seen, did they spread as 1-byte floods do: of one
  /// observer, the largest. Says something where no neighbour was seen to send, but less.
  double exposure = 0;
  double floods = 0;                           ///< multi-byte floods in which any neighbour was seen to send
  std::vector<OpportunityNeighbor> neighbors;  ///< by `expected`, largest first; at most kMaxNeighbors

  static constexpr std::size_t kMaxNeighbors = 8;
};

double Sum(const BySpan& spans);

/// How far a node is believed to take multi-byte packets.
struct CapabilityBelief {
  double forwards = 0.5;  ///< that it forwards them
  double reports = 0.5;   ///< that it reports them, for an observer
};
using CapabilityBeliefs = std::unordered_map<std::int64_t, CapabilityBelief>;

/// Measures, for each node, which multi-byte floods it would have been seen to relay were it capable.
///
/// From 1-byte floods it learns how often a node X is seen to forward what a neighbour Y sends, given that
/// Y's sending is known without X's help and that X had not sent before. Only what would still be seen when
/// everybody who drops multi-byte floods is gone counts: a sighting through a relay counts by the belief in
/// that relay. Each multi-byte flood in which neighbours were seen to send then was an opportunity, with the
/// sum of their rates (a flood comes to X first from one of them) as the chance to see X. A flood counts only
/// between X's first and last 1-byte relay, for then it was awake. The same for an observer's reports.
class OpportunityMeter {
 public:
  /// Resolves the hops of the sample once, and those of floods whose observations are still coming in. Both
  /// must outlive the meter.
  OpportunityMeter(const FloodSample& sample, const std::vector<const Flood*>& open,
                   const HopResolver& resolver);

  /// By identity. Nodes without any opportunity are left out.
  std::unordered_map<std::int64_t, Opportunity> Measure(const CapabilityBeliefs& beliefs) const;

  /// Of each of the kOpportunitySpans.
  std::chrono::milliseconds span_length() const { return span_length_; }

 private:
  friend class OpportunityPass;
  /// A step or a hearing with nodes as indexes into `nodes_`.
  struct Sender {
    std::uint32_t node = 0;
    float probability = 0;
  };
  struct Tree {
    const Flood* flood = nullptr;
    std::vector<std::uint32_t> sender_ends;  ///< by step, into `senders`
    std::vector<Sender> senders;
    std::int64_t origin = -1;                     ///< index, or -1
    std::vector<std::uint32_t> hearing_observer;  ///< by hearing: index
  };

  std::uint32_t IndexOf(IdentityKey node);
  void MeasureExposure();
  static void ResolveAll(std::vector<Tree>& trees, const HopResolver& resolver);
  /// Fills in who sent each step, by their keys, which are below 2^32.
  static void Resolve(Tree& tree, const HopResolver& resolver, ResolvedSteps& steps);
  /// Puts indexes into `nodes_` in the place of keys.
  void PutIndexes(Tree& tree);

  std::vector<IdentityKey> nodes_;
  std::unordered_map<std::int64_t, std::uint32_t> index_;
  std::vector<Tree> one_byte_, multibyte_;
  std::vector<double> exposure_;  ///< by node
  double multibyte_scale_ = 1;
  UtcMillis begin_{};
  std::chrono::milliseconds span_length_{1};
};

}  // namespace heliograph::server
