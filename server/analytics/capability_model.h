#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/identity_key.h"
#include "common/multibyte_snapshot.h"
#include "server/analytics/opportunity.h"

namespace heliograph::server {

/// What the model is told of one node.
struct ModelFacts {
  IdentityKey node{};
  bool forwards_by_default = false;
  /// Its status is confirmed, with this probability.
  std::optional<double> proven;
  bool proven_by_advert = false;
  std::uint32_t one_byte_adverts = 0;   ///< own flood adverts
  std::uint32_t multibyte_adverts = 0;  ///< own flood adverts that prove
  std::uint32_t other_adverts = 0;      ///< own adverts that carry no size: zero-hop and shared ones
  double relay_days = 0;                ///< between its first and last 1-byte relay
};

/// What the model concludes of one node.
struct ModelVerdict {
  double silent = 0.5;  ///< that it forwards multi-byte floods now, if none of the hops was this node
  double relayed = 0;   ///< that one of the hops was this node
  double expected = 0;  ///< sightings that a capable node would have given, of relaying and of reporting
  Opportunity opportunity;

  double Probability() const { return relayed + (1 - relayed) * silent; }
};

/// What the model found out about the mesh as a whole.
struct MeshPriors {
  double relays = 0.5;           ///< share of capable nodes among those that forward by default
  double others = 0.5;           ///< and among the others
  double stays_at_one = 0.5;     ///< share of capable nodes whose own packets have 1-byte hashes
  double adverts_per_day = 0;    ///< 1-byte flood adverts heard of a relay
  double adverts_per_other = 0;  ///< and for each other advert of a node
  double relay_yield = 1;  ///< multi-byte relays seen for each that was expected, of nodes proven otherwise
  double unseen = 1;       ///< share of capable relays that are heard to relay, but never a multi-byte flood
};

struct ModelResult {
  MeshPriors priors;
  std::unordered_map<std::int64_t, ModelVerdict> verdicts;  ///< by identity; one for each of the facts

  const ModelVerdict* Find(IdentityKey node) const {
    const auto found = verdicts.find(static_cast<std::int64_t>(node));
    return found == verdicts.end() ? nullptr : &found->second;
  }
};

/// The probability that each node forwards multi-byte floods.
///
/// Posterior odds are prior odds times likelihood ratios: of adverts that stay at 1 byte, of multi-byte
/// floods that it did not relay, or did not report as an observer, though it had the opportunity, and of
/// reports that it made. An upgrade in the meantime is allowed for. Priors are the mesh's own, fitted
/// together with the posteriors (expectation maximisation), so that nodes without evidence are judged by
/// those that are hidden as they are, and not by those that had the luck to be proven.
///
/// The result does not depend on the order of the facts. Takes some tens of milliseconds for a large sample.
ModelResult RunCapabilityModel(const std::vector<ModelFacts>& facts, const OpportunityMeter& meter);

/// Gives an entry that the rules did not confirm the probability of the model, and marks it as likely legacy
/// when it is improbable (kLikelyLegacyBelow) though there was an opportunity to show otherwise. A hop that
/// the model has not in its sample counts as the rules have judged it. Changes no status.
void ApplyVerdict(const ModelVerdict& verdict, CapabilityEntry& entry);

/// That a capable node shows nothing of what was expected of it. Counts are far more scattered than chance
/// alone would make them, for floods that go the same way share their fate: a negative binomial.
/// REQUIRED: expected >= 0.
double ChanceOfSilence(double expected);

/// Below this probability a node with an opportunity is likely legacy.
inline constexpr double kLikelyLegacyBelow = 0.1;

}  // namespace heliograph::server
