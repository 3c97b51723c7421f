#include "server/analytics/capability_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace heliograph::server {
namespace {

// Fitted on training seeds of meshsim; those that say what people do are guesses that the mesh corrects.
constexpr double kScatter = 0.6;         ///< shape of the negative binomial
constexpr double kDailyUpgrades = 0.01;  ///< of legacy nodes
constexpr double kReportsAnyway = 0.03;  ///< a legacy observer whose client reports before the firmware drops
constexpr double kNeverReports = 0.02;   ///< a capable observer whose client leaves multi-byte floods out
constexpr double kLeastOpportunity = 3;  ///< expected sightings that make silence worth telling
constexpr double kAssumedCapable = 0.5;  ///< of relays, before any is known
constexpr double kAssumedNodes = 2;      ///< how many nodes that assumption is worth
constexpr double kLeastSighting = 0.5;   ///< expected sightings of a relay that count as one
constexpr double kRelatedNodes = 20;     ///< how many nodes the relays' share is worth for the others
constexpr double kAssumedStaysAtOne = 0.6;  ///< 1 byte is the firmware's default
constexpr double kAssumedStayers = 4;
constexpr double kSureRelay = 0.95;       ///< a hop is this node: as good as certain
constexpr double kMostRelayed = 0.97;     ///< a hop with several candidates is never quite certain
constexpr double kExposureWeight = 0.25;  ///< of a flood that it was exposed to, against an expected one
constexpr double kAdvertsUnheard = 0.3;   ///< that no multi-byte advert of a node gets through
constexpr int kRounds = 5;
constexpr int kPriorRounds = 40;  ///< cheap: without measuring anew

/// How probable a node's evidence is for each thing that it can be.
struct Likelihood {
  double capable = 1;   ///< from the start
  double upgraded = 0;  ///< capable by now, legacy at the start; the chance of that upgrade is in it
  double legacy = 1;
};

/// Of silence about relaying and about reporting. Both have the same cause, so the stronger counts alone. A
/// node that was upgraded after some span had to show only what came later.
Likelihood OfSilence(const Opportunity& opportunity, double yield, double days_per_span) {
  const double upgrade = std::min(1.0 / kOpportunitySpans, kDailyUpgrades * days_per_span);
  const double exposure = kExposureWeight * opportunity.exposure / kOpportunitySpans;
  double relays = 0, reports = 0;
  const auto silence = [&] {
    const double no_reports = kNeverReports + (1 - kNeverReports) * ChanceOfSilence(reports);
    return std::min(ChanceOfSilence(relays), no_reports);
  };
  Likelihood result;
  for (std::size_t span = kOpportunitySpans; span-- > 0;) {
    result.upgraded += upgrade * silence();
    relays += opportunity.relays_expected[span] * yield + exposure;
    reports += opportunity.reports_expected[span];
  }
  result.capable = silence();
  result.legacy = 1 - upgrade * kOpportunitySpans;
  return result;
}

bool IsActiveRelay(const ModelFacts& facts) {
  return facts.forwards_by_default && facts.relay_days > 0;
}

Likelihood LikelihoodOf(const ModelFacts& facts, const Opportunity& opportunity, const MeshPriors& priors,
                        double days_per_span) {
  if (opportunity.reports_seen > 0) return {1, 0, kReportsAnyway};
  Likelihood likelihood = OfSilence(opportunity, priors.relay_yield, days_per_span);
  // What was expected of it may be too little, for it counts only floods that were seen to come near.
  if (IsActiveRelay(facts)) likelihood.capable = std::min(likelihood.capable, priors.unseen);
  return likelihood;
}

/// A node with all that stays the same while the priors are fitted.
struct Case {
  const ModelFacts* facts = nullptr;
  const Opportunity* opportunity = nullptr;
  Likelihood likelihood;
  double posterior = 0.5;
};

double PriorOf(const ModelFacts& facts, const MeshPriors& priors) {
  return facts.forwards_by_default ? priors.relays : priors.others;
}

/// How probable the node's adverts are: heard with 1 byte, or not at all. Those of a node whose own packets
/// are multi-byte do not get through where nobody carries them.
Likelihood OfAdverts(const ModelFacts& facts, const MeshPriors& priors) {
  if (facts.one_byte_adverts > 0) return {priors.stays_at_one, priors.stays_at_one, 1};
  const double expected =
      priors.adverts_per_day * facts.relay_days + priors.adverts_per_other * facts.other_adverts;
  const double none = 1 / (1 + expected);  // scattered, as all counts are
  const double unheard = kAdvertsUnheard + (1 - kAdvertsUnheard) * none;
  const double capable = priors.stays_at_one * none + (1 - priors.stays_at_one) * unheard;
  return {capable, capable, none};
}

double Posterior(const Case& item, const MeshPriors& priors) {
  const ModelFacts& facts = *item.facts;
  if (facts.proven) return *facts.proven;
  const double prior = PriorOf(facts, priors);
  const Likelihood adverts = OfAdverts(facts, priors);
  const double capable = prior * item.likelihood.capable * adverts.capable +
                         (1 - prior) * item.likelihood.upgraded * adverts.upgraded;
  const double legacy = (1 - prior) * item.likelihood.legacy * adverts.legacy;
  return capable / (capable + legacy);
}

/// Of nodes that relayed or reported multi-byte floods: they were chosen without regard to their own adverts.
double StaysAtOne(const std::vector<Case>& cases) {
  double stay = kAssumedStayers * kAssumedStaysAtOne, count = kAssumedStayers;
  for (const Case& item : cases) {
    const ModelFacts& facts = *item.facts;
    if (facts.one_byte_adverts + facts.multibyte_adverts == 0) continue;
    if (item.opportunity->surest_relay < kSureRelay && item.opportunity->reports_seen == 0) continue;
    count += 1;
    if (facts.multibyte_adverts == 0) stay += 1;
  }
  return stay / count;
}

/// How often 1-byte flood adverts are heard, of nodes whose adverts are such.
void CountAdverts(const std::vector<ModelFacts>& facts, MeshPriors& priors) {
  double of_relays = 0, days = 1, of_others = 0, others = 1;
  for (const ModelFacts& node : facts) {
    if (node.one_byte_adverts == 0 || node.multibyte_adverts > 0) continue;
    if (node.relay_days > 0) {
      of_relays += node.one_byte_adverts;
      days += node.relay_days;
    }
    if (node.other_adverts > 0) {
      of_others += node.one_byte_adverts;
      others += node.other_adverts;
    }
  }
  priors.adverts_per_day = of_relays / days;
  priors.adverts_per_other = of_others / others;
}

/// Shares that the posteriors speak for, drawn towards what is assumed.
void FitPriors(std::vector<Case>& cases, MeshPriors& priors) {
  for (int round = 0; round < kPriorRounds; ++round) {
    double relays = kAssumedNodes * kAssumedCapable, relay_count = kAssumedNodes;
    double others = 0, other_count = 0;
    for (Case& item : cases) {
      item.posterior = Posterior(item, priors);
      const ModelFacts& facts = *item.facts;
      (facts.forwards_by_default ? relays : others) += item.posterior;
      (facts.forwards_by_default ? relay_count : other_count) += 1;
    }
    priors.relays = relays / relay_count;
    priors.others = (others + kRelatedNodes * priors.relays) / (other_count + kRelatedNodes);
  }
}

/// Of nodes whose adverts prove them, and so were not chosen for what they relayed.
double RelayYield(const std::vector<Case>& cases) {
  double sum = 0, count = kAssumedNodes;
  for (const Case& item : cases) {
    const double expected = Sum(item.opportunity->relays_expected);
    if (!item.facts->proven_by_advert || !item.facts->forwards_by_default || expected < 1) continue;
    const double ratio = std::log((item.opportunity->relays_seen + 0.5) / (expected + 0.5));
    sum += std::clamp(ratio, -3.0, 1.0);
    count += 1;
  }
  return std::exp(sum / count);
}

/// Of the same nodes: how many of those that are heard to relay never do so with a multi-byte flood. Where
/// none is known, all of them, so that silence says nothing.
double Unseen(const std::vector<Case>& cases) {
  double unseen = 1, count = 1;
  for (const Case& item : cases) {
    if (!item.facts->proven_by_advert || !IsActiveRelay(*item.facts)) continue;
    count += 1;
    if (item.opportunity->relays_seen < kLeastSighting) unseen += 1;
  }
  return unseen / count;
}

CapabilityBeliefs BeliefsOf(const std::vector<Case>& cases) {
  CapabilityBeliefs beliefs;
  for (const Case& item : cases) {
    CapabilityBelief& belief = beliefs[static_cast<std::int64_t>(item.facts->node)];
    belief.forwards = item.posterior;
    belief.reports = item.opportunity->reports_seen > 0 ? 1 : item.posterior;
  }
  return beliefs;
}

ModelVerdict VerdictOf(const Case& item, double yield) {
  ModelVerdict verdict;
  verdict.opportunity = *item.opportunity;
  verdict.silent = item.posterior;
  verdict.relayed = std::min(item.opportunity->surest_relay, kMostRelayed);
  verdict.expected = Sum(item.opportunity->relays_expected) * yield + Sum(item.opportunity->reports_expected);
  return verdict;
}

}  // namespace

double ChanceOfSilence(double expected) {
  return std::pow(1 + expected / kScatter, -kScatter);
}

void ApplyVerdict(const ModelVerdict& verdict, CapabilityEntry& entry) {
  if (entry.status == CapabilityStatus::kConfirmed) return;
  ModelVerdict judged = verdict;
  if (entry.status == CapabilityStatus::kUnknown) {
    judged.relayed = 0;
  } else if (judged.relayed == 0) {
    judged.relayed = std::min(entry.probability.value_or(0), kMostRelayed);
  }
  entry.probability = judged.Probability();
  entry.likely_legacy = *entry.probability <= kLikelyLegacyBelow && judged.expected >= kLeastOpportunity;
}

ModelResult RunCapabilityModel(const std::vector<ModelFacts>& facts, const OpportunityMeter& meter) {
  static const Opportunity kNone;
  std::vector<Case> cases;
  for (const ModelFacts& node : facts) cases.push_back({&node, &kNone, {}, node.proven.value_or(0.5)});
  std::sort(cases.begin(), cases.end(),
            [](const Case& a, const Case& b) { return a.facts->node < b.facts->node; });

  ModelResult result;
  CountAdverts(facts, result.priors);
  std::unordered_map<std::int64_t, Opportunity> opportunities;
  const double days_per_span = std::chrono::duration<double, std::ratio<86'400>>(meter.span_length()).count();
  for (int round = 0; round < kRounds; ++round) {
    opportunities = meter.Measure(BeliefsOf(cases));
    for (Case& item : cases) {
      const auto found = opportunities.find(static_cast<std::int64_t>(item.facts->node));
      item.opportunity = found == opportunities.end() ? &kNone : &found->second;
    }
    result.priors.relay_yield = RelayYield(cases);
    result.priors.unseen = Unseen(cases);
    result.priors.stays_at_one = StaysAtOne(cases);
    for (Case& item : cases)
      item.likelihood = LikelihoodOf(*item.facts, *item.opportunity, result.priors, days_per_span);
    FitPriors(cases, result.priors);
  }
  for (const Case& item : cases)
    result.verdicts.emplace(static_cast<std::int64_t>(item.facts->node),
                            VerdictOf(item, result.priors.relay_yield));
  return result;
}

}  // namespace heliograph::server
