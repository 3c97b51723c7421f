#include "server/analytics/hop_resolver.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/server/flood_fixture.h"

namespace heliograph::server {
namespace {

constexpr IdentityKey kOrigin{1}, kLeft{2}, kRight{3}, kEar{4}, kFarEar{5};

/// Two repeaters whose 1-byte and 2-byte hashes are the same.
class HopResolverTest : public ::testing::Test {
 protected:
  HopResolverTest() {
    stations_.Put(kOrigin, Repeater(KeyThatBegins({0x11})));
    stations_.Put(kLeft, Repeater(KeyThatBegins({0xAA, 0xBB}, 1)));
    stations_.Put(kRight, Repeater(KeyThatBegins({0xAA, 0xBB}, 2)));
    stations_.Put(kEar, Repeater(KeyThatBegins({0x44})));
    stations_.Put(kFarEar, Repeater(KeyThatBegins({0x55})));
  }
  /// As if `node` had been heard between the two so many times.
  void Teach(IdentityKey from, IdentityKey node, IdentityKey to, int times) {
    ResolvedSteps steps;
    steps.Add({node, 1});
    steps.EndStep();
    const Flood flood = FloodMaker().From(from).Path({{0xAA}}, to).flood();
    for (int i = 0; i < times; ++i) evidence_.Add(flood, steps);
  }
  double Probability(const ResolvedSteps& steps, std::size_t step, IdentityKey node) {
    for (const HopCandidate& candidate : steps.Step(step))
      if (candidate.node == node) return static_cast<double>(candidate.probability);
    return 0;
  }
  ResolvedSteps Resolve(const Flood& flood) {
    ResolvedSteps steps;
    HopResolver(stations_, evidence_).Resolve(flood, steps);
    return steps;
  }

  StationDirectory stations_;
  RelayEvidence evidence_;
};

TEST_F(HopResolverTest, TwoThatNothingTellsApartShareTheHop) {
  const auto steps = Resolve(FloodMaker(2).Path({{0xAA, 0xBB}}, kEar).flood());
  EXPECT_NEAR(Probability(steps, 0, kLeft), 0.5, 0.01);
  EXPECT_FLOAT_EQ(static_cast<float>(Probability(steps, 0, kLeft)),
                  static_cast<float>(Probability(steps, 0, kRight)));
}

TEST_F(HopResolverTest, TheOneThatIsHeardBetweenTheseNeighboursIsIt) {
  Teach(kOrigin, kLeft, kEar, 20);
  Teach(kOrigin, kRight, kFarEar, 20);
  const auto near = Resolve(FloodMaker().From(kOrigin).Path({{0xAA}}, kEar).flood());
  EXPECT_GT(Probability(near, 0, kLeft), 0.95);
  const auto far = Resolve(FloodMaker().From(kOrigin).Path({{0xAA}}, kFarEar).flood());
  EXPECT_GT(Probability(far, 0, kRight), 0.95);
}

TEST_F(HopResolverTest, EveryBranchOfAFloodHelpsToTellAHop) {
  Teach(kLeft, kEar, kFarEar, 20);
  // The hop itself is not heard by anybody, but the one after it is.
  const auto steps = Resolve(FloodMaker().Path({{0xAA}, {0x44}}, kFarEar).flood());
  EXPECT_GT(Probability(steps, 0, kLeft), 0.9);
}

TEST_F(HopResolverTest, DistanceTellsWhereNothingWasHeardYet) {
  Station near = Repeater(KeyThatBegins({0xAA, 0xBB}, 1)), far = Repeater(KeyThatBegins({0xAA, 0xBB}, 2));
  Station ear = Repeater(KeyThatBegins({0x44}));
  near.position = GeoPoint{37.0, -122.0};
  far.position = GeoPoint{39.0, -120.0};
  ear.position = GeoPoint{37.05, -122.0};
  stations_.Put(kLeft, near);
  stations_.Put(kRight, far);
  stations_.Put(kEar, ear);
  EXPECT_GT(Probability(Resolve(FloodMaker(2).Path({{0xAA, 0xBB}}, kEar).flood()), 0, kLeft), 0.9);
}

TEST_F(HopResolverTest, ACompanionIsRarelyTheRelay) {
  Station companion = Repeater(KeyThatBegins({0xAA, 0xBB}, 2));
  companion.forwards_by_default = false;
  stations_.Put(kRight, companion);
  EXPECT_GT(Probability(Resolve(FloodMaker(2).Path({{0xAA, 0xBB}}, kEar).flood()), 0, kLeft), 0.9);
}

TEST_F(HopResolverTest, ANodeThatWasNotHeardOfThenIsLessProbable) {
  Station gone = Repeater(KeyThatBegins({0xAA, 0xBB}, 2));
  gone.first_heard = gone.last_heard = AtSecond(-100 * 86'400);
  stations_.Put(kRight, gone);
  EXPECT_GT(Probability(Resolve(FloodMaker(2).Path({{0xAA, 0xBB}}, kEar).flood()), 0, kLeft), 0.7);
}

TEST_F(HopResolverTest, ANodeOfAnotherRegionThanTheObserversIsLessProbable) {
  Station left = Repeater(KeyThatBegins({0xAA, 0xBB}, 1)), right = Repeater(KeyThatBegins({0xAA, 0xBB}, 2));
  Station ear = Repeater(KeyThatBegins({0x44}));
  left.regions = ear.regions = 1;
  right.regions = 2;
  stations_.Put(kLeft, left);
  stations_.Put(kRight, right);
  stations_.Put(kEar, ear);
  EXPECT_GT(Probability(Resolve(FloodMaker(2).Path({{0xAA, 0xBB}}, kEar).flood()), 0, kLeft), 0.7);
}

TEST_F(HopResolverTest, TheSignerIsNeverARelayOfItsOwnPacket) {
  const auto steps = Resolve(FloodMaker(2).From(kLeft).Path({{0xAA, 0xBB}}, kEar).flood());
  EXPECT_EQ(Probability(steps, 0, kLeft), 0);
  EXPECT_GT(Probability(steps, 0, kRight), 0.9);
}

TEST_F(HopResolverTest, ProbabilitiesLeaveRoomForANodeThatNobodyHasHeard) {
  const auto steps = Resolve(FloodMaker().Path({{0xAA}, {0x77}}, kEar).flood());
  EXPECT_EQ(steps.step_count(), 2U);
  EXPECT_LT(Probability(steps, 0, kLeft) + Probability(steps, 0, kRight), 1);
  EXPECT_TRUE(steps.Step(1).empty());
}

TEST_F(HopResolverTest, AnObserverThatSentItItselfIsTheHop) {
  constexpr IdentityKey kThird{6};
  stations_.Put(kThird, Repeater(KeyThatBegins({0xAA, 0xBB}, 3)));
  Flood flood = FloodMaker().Path({{0xAA}}, kThird).flood();
  flood.hearings[0].own = true;
  EXPECT_GT(Probability(Resolve(flood), 0, kThird), 0.99);
}

TEST_F(HopResolverTest, TwoSendingsWithTheSameHashAreTwoNodes) {
  Teach(kOrigin, kLeft, kEar, 50);
  const auto steps =
      Resolve(FloodMaker().From(kOrigin).Path({{0xAA}}, kEar).Path({{0x44}, {0xAA}}, kFarEar).flood());
  EXPECT_GT(Probability(steps, 0, kLeft), 0.8);
  EXPECT_LE(Probability(steps, 0, kLeft) + Probability(steps, 2, kLeft), 1.01);
  EXPECT_GT(Probability(steps, 2, kRight), Probability(steps, 2, kLeft));
}

TEST_F(HopResolverTest, TheOrderOfTheReportsDoesNotMatter) {
  Teach(kOrigin, kLeft, kEar, 5);
  const Flood one = FloodMaker().Path({{0xAA}, {0x44}}, kFarEar).Path({{0xAA}}, kEar).flood();
  const Flood other = FloodMaker().Path({{0xAA}}, kEar).Path({{0xAA}, {0x44}}, kFarEar).flood();
  EXPECT_NEAR(Probability(Resolve(one), 0, kLeft), Probability(Resolve(other), 0, kLeft), 1e-6);
}

TEST_F(HopResolverTest, APathIsResolvedAsAFloodOfOneBranch) {
  Teach(kOrigin, kLeft, kEar, 20);
  const std::uint8_t hop[] = {0xAA};
  const auto steps = HopResolver(stations_, evidence_)
                         .ResolvePath({*PathHash::FromBytes(hop)}, {kOrigin, kEar, AtSecond(1)});
  const auto flood = Resolve(FloodMaker().From(kOrigin).Path({{0xAA}}, kEar).flood());
  EXPECT_EQ(Probability(steps, 0, kLeft), Probability(flood, 0, kLeft));
}

}  // namespace
}  // namespace heliograph::server
