#include "server/analytics/capability_model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

constexpr IdentityKey kSource{1}, kSilent{2}, kCapable{3}, kEar{4}, kDeafEar{5}, kAlone{6};

/// A source that floods, two relays that hear it, and two observers that hear the relays.
class CapabilityModelTest : public ::testing::Test {
 protected:
  CapabilityModelTest() {
    for (const IdentityKey node : {kSource, kSilent, kCapable, kEar, kDeafEar, kAlone})
      stations_.Put(node, Repeater(KeyOf(node)));
  }
  static PublicKey KeyOf(IdentityKey node) {
    const auto byte = static_cast<std::uint8_t>(static_cast<int>(node) * 16);
    return KeyThatBegins({byte, byte});
  }
  static std::vector<std::uint8_t> Hop(IdentityKey node, std::size_t size) {
    return std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(static_cast<int>(node) * 16));
  }
  /// The source's flood, and who of the relays sent it on. kEar hears the source and both relays.
  void Send(std::uint8_t size, const std::vector<IdentityKey>& relays, IdentityKey other_ear = kEar) {
    FloodMaker flood(size, ++transmission_);
    flood.From(kSource).Path({}, kEar);
    for (const IdentityKey relay : relays) flood.Path({Hop(relay, size)}, kEar);
    if (other_ear != kEar) flood.Path({Hop(kSilent, size)}, other_ear);
    sample_.Add(flood.flood());
    ResolvedSteps steps;
    HopResolver(stations_, evidence_).Resolve(flood.flood(), steps);
    evidence_.Add(flood.flood(), steps);
  }
  static ModelFacts Facts(IdentityKey node) {
    ModelFacts facts;
    facts.node = node;
    facts.forwards_by_default = true;
    return facts;
  }
  static ModelFacts Proven(IdentityKey node) {
    ModelFacts facts = Facts(node);
    facts.proven = 1;
    facts.proven_by_advert = true;
    facts.multibyte_adverts = 3;
    return facts;
  }
  ModelResult Run(std::vector<ModelFacts> facts) {
    const OpportunityMeter meter(sample_, {}, HopResolver(stations_, evidence_));
    return RunCapabilityModel(facts, meter);
  }
  /// 1-byte floods that both relays forward, between multi-byte ones that only the capable one does.
  void SendAroundTheSilentOne(int times) {
    for (int i = 0; i < times; ++i) {
      Send(1, {kSilent, kCapable});
      Send(2, {kCapable});
    }
    Send(1, {kSilent, kCapable});
  }

  StationDirectory stations_;
  RelayEvidence evidence_;
  FloodSample sample_;
  std::int64_t transmission_ = 0;
};

TEST_F(CapabilityModelTest, ARelayThatLetsManyOpportunitiesPassIsLikelyLegacy) {
  SendAroundTheSilentOne(300);
  const ModelResult result = Run({Facts(kSilent), Proven(kCapable), Proven(kSource), Proven(kEar)});
  const ModelVerdict& verdict = *result.Find(kSilent);
  EXPECT_GT(Sum(verdict.opportunity.relays_expected), 150);
  EXPECT_EQ(verdict.opportunity.relays_seen, 0);
  CapabilityEntry entry;
  ApplyVerdict(verdict, entry);
  EXPECT_LT(*entry.probability, 0.1);
  EXPECT_TRUE(entry.likely_legacy);
  EXPECT_EQ(entry.status, CapabilityStatus::kUnknown);
}

TEST_F(CapabilityModelTest, TheOpportunityNamesTheNeighborAndItsFloods) {
  SendAroundTheSilentOne(20);
  const ModelResult result = Run({Facts(kSilent), Proven(kCapable), Proven(kSource), Proven(kEar)});
  const Opportunity& opportunity = result.Find(kSilent)->opportunity;
  ASSERT_FALSE(opportunity.neighbors.empty());
  EXPECT_EQ(opportunity.neighbors[0].node, kSource);
  EXPECT_EQ(opportunity.neighbors[0].floods, 20);
  EXPECT_EQ(opportunity.floods, 20);
}

TEST_F(CapabilityModelTest, WithoutAnOpportunityThePriorStands) {
  SendAroundTheSilentOne(60);
  const ModelResult result = Run({Facts(kAlone), Proven(kCapable), Proven(kSource), Proven(kEar)});
  EXPECT_NEAR(result.Find(kAlone)->silent, result.priors.relays, 0.05);
  CapabilityEntry entry;
  ApplyVerdict(*result.Find(kAlone), entry);
  EXPECT_FALSE(entry.likely_legacy);
}

TEST_F(CapabilityModelTest, ARelayIsDoubtedMoreWhereCapableOnesAreSeen) {
  SendAroundTheSilentOne(60);
  ModelFacts alone = Facts(kAlone), capable = Proven(kCapable);
  alone.one_byte_adverts = 5;
  alone.relay_days = 1;
  const auto silent = [&] {
    return Run({alone, capable, Proven(kSource), Proven(kEar)}).Find(kAlone)->silent;
  };
  const double before = silent();
  capable.relay_days = 1;  // now it tells how capable relays fare
  EXPECT_LT(silent(), before - 0.1);
}

TEST_F(CapabilityModelTest, OnlyFloodsBetweenItsOwnRelaysAreOpportunities) {
  for (int i = 0; i < 30; ++i) Send(1, {kSilent, kCapable});
  for (int i = 0; i < 30; ++i) Send(2, {kCapable});  // when it has gone
  const ModelResult result = Run({Facts(kSilent), Proven(kCapable), Proven(kSource), Proven(kEar)});
  EXPECT_EQ(Sum(result.Find(kSilent)->opportunity.relays_expected), 0);
}

TEST_F(CapabilityModelTest, ARelayThatOnlyADeafObserverHearsHadLittleOpportunity) {
  for (int i = 0; i < 60; ++i) {
    FloodMaker flood(1, ++transmission_);
    flood.From(kSource).Path({}, kEar).Path({Hop(kSilent, 1)}, kDeafEar).Path({Hop(kCapable, 1)}, kEar);
    sample_.Add(flood.flood());
    Send(2, {kCapable});
  }
  ModelFacts deaf = Facts(kDeafEar);
  deaf.proven = 0;
  const ModelResult result = Run({Facts(kSilent), deaf, Proven(kCapable), Proven(kSource), Proven(kEar)});
  EXPECT_LT(Sum(result.Find(kSilent)->opportunity.relays_expected), 5);
}

TEST_F(CapabilityModelTest, AnObserverThatReportsMultibyteFloodsIsProbablyCapable) {
  SendAroundTheSilentOne(20);
  const ModelResult result = Run({Facts(kEar), Facts(kSilent), Proven(kCapable), Proven(kSource)});
  EXPECT_EQ(result.Find(kEar)->opportunity.reports_seen, 20);
  EXPECT_GT(result.Find(kEar)->silent, 0.9);
}

TEST_F(CapabilityModelTest, AdvertsThatStayAtOneByteMakeItLessProbable) {
  ModelFacts quiet = Facts(kAlone), one_byte = Facts(kSilent);
  one_byte.one_byte_adverts = 9;
  const ModelResult result = Run({quiet, one_byte, Proven(kSource)});
  EXPECT_LT(result.Find(kSilent)->silent, result.Find(kAlone)->silent);
}

TEST_F(CapabilityModelTest, ARelayWhoseAdvertsAreNeverHeardIsMoreProbable) {
  std::vector<ModelFacts> facts;
  for (std::int64_t node = 20; node < 30; ++node) {
    facts.push_back(Facts(IdentityKey{node}));
    facts.back().one_byte_adverts = 20;
    facts.back().relay_days = 2;
  }
  facts.push_back(Facts(kSilent));
  facts.back().relay_days = 2;
  const ModelResult result = Run(facts);
  EXPECT_GT(result.Find(kSilent)->silent, result.Find(IdentityKey{20})->silent + 0.2);
}

TEST_F(CapabilityModelTest, TheOrderOfTheFactsDoesNotMatter) {
  SendAroundTheSilentOne(10);
  std::vector<ModelFacts> facts = {Facts(kSilent), Proven(kCapable), Facts(kAlone), Proven(kSource),
                                   Facts(kEar)};
  const ModelResult forth = Run(facts);
  std::reverse(facts.begin(), facts.end());
  const ModelResult back = Run(facts);
  for (const ModelFacts& node : facts) EXPECT_EQ(forth.Find(node.node)->silent, back.Find(node.node)->silent);
}

TEST(ApplyVerdict, NeverTouchesWhatIsConfirmed) {
  ModelVerdict verdict;
  verdict.silent = 0.01;
  verdict.expected = 100;
  CapabilityEntry entry;
  entry.status = CapabilityStatus::kConfirmed;
  entry.probability = 1;
  ApplyVerdict(verdict, entry);
  EXPECT_EQ(entry.probability, 1);
  EXPECT_FALSE(entry.likely_legacy);
}

TEST(ApplyVerdict, ASuspectedHopCountsBesideTheSilence) {
  ModelVerdict verdict;
  verdict.silent = 0.2;
  verdict.relayed = 0.5;
  CapabilityEntry entry;
  entry.status = CapabilityStatus::kSuspected;
  ApplyVerdict(verdict, entry);
  EXPECT_DOUBLE_EQ(*entry.probability, 0.6);
  verdict.relayed = 0;  // the hop is not in the sample: as the rules judged it
  entry.probability = 0.25;
  ApplyVerdict(verdict, entry);
  EXPECT_DOUBLE_EQ(*entry.probability, 0.4);
}

TEST(ChanceOfSilence, FallsSlowlyForFloodsShareTheirFate) {
  EXPECT_EQ(ChanceOfSilence(0), 1);
  EXPECT_GT(ChanceOfSilence(10), 0.1);
  EXPECT_LT(ChanceOfSilence(1000), 0.05);
}

}  // namespace
}  // namespace heliograph::server
