#include "server/analytics/readiness_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;

/// A repeater (1) that an observer (9) reports, and a companion (2) whose adverts the repeater forwards.
class ReadinessMaterialTest : public ::testing::Test {
 protected:
  ReadinessMaterialTest() {
    AddNode(1, "repeater");
    AddNode(2, "companion");
    ObserverView observer;
    observer.key = IdentityKey{9};
    observer.id = KeyOf({9}).ToObserverId();
    observer.iata = "SFO";
    observer.packet_count = 10;
    material_.observers.push_back(std::make_shared<const ObserverView>(observer));
  }

  void AddNode(int number, const std::string& role) {
    NodeView view;
    view.key = IdentityKey{number};
    view.public_key = KeyOf({number});
    view.role = role;
    view.capability.probability = 0.25;
    material_.nodes.push_back({std::make_shared<const NodeView>(view), true});
  }

  /// The companion's advert, sent on by `relay` and heard by the observer.
  void HearAdvert(int relay, std::uint8_t hash_size = 1) {
    Flood flood;
    flood.transmission = ++transmissions_;
    flood.hash_size = hash_size;
    flood.origin = IdentityKey{2};
    flood.first_heard = flood.last_heard = At(transmissions_ * 1000);
    flood.steps = {{FloodStep::kOrigin, HopKeyOf(KeyOf({relay}), hash_size)}};
    flood.hearings = {{0, IdentityKey{9}, false, std::nullopt}};
    ResolvedSteps steps;
    steps.Add({IdentityKey{relay}, 1});
    steps.EndStep();
    evidence_.Add(flood, steps);
  }

  ReadinessInput Build() {
    material_.model = std::make_shared<const MeshModel>(MeshModel{{}, evidence_, {}});
    return BuildReadinessInput(material_);
  }

  ReadinessMaterial material_;
  RelayEvidence evidence_;
  std::int64_t transmissions_ = 0;
};

TEST_F(ReadinessMaterialTest, MakesNodesAndObserversOfTheGraph) {
  for (int i = 0; i < 10; ++i) HearAdvert(1);
  const ReadinessInput input = Build();
  ASSERT_EQ(input.nodes.size(), 3U);
  EXPECT_THAT(input.regions, ElementsAre("SFO"));
  EXPECT_TRUE(input.nodes[0].relays);
  EXPECT_EQ(input.nodes[0].capable, 0.25);
  EXPECT_FALSE(input.nodes[1].relays);
  EXPECT_FALSE(input.nodes[2].advertises);
  EXPECT_EQ(input.nodes[2].observer_in, RegionIndex{0});
  EXPECT_EQ(input.graph.links().size(), 4U);
}

TEST_F(ReadinessMaterialTest, FindsTheHomeOfWhoIsReportedAndOfTheirNeighbours) {
  HearAdvert(1);
  const ReadinessInput input = Build();
  EXPECT_EQ(input.nodes[0].home, RegionIndex{0});
  EXPECT_EQ(input.nodes[1].home, RegionIndex{0});
}

TEST_F(ReadinessMaterialTest, TakesAnObserverThatReportsMultibyteFloodsForCapable) {
  for (int i = 0; i < 3; ++i) HearAdvert(1, 2);
  EXPECT_THAT(Build().nodes[2].capable, Gt(0.99));
  EXPECT_TRUE(Build().nodes[2].has_evidence);
  EXPECT_EQ(Build().multibyte_floods, 3);
}

TEST_F(ReadinessMaterialTest, DoesNotTakeACompanionForARelayByHashesOfOneByte) {
  AddNode(3, "companion");
  for (int i = 0; i < 10; ++i) HearAdvert(3);
  EXPECT_FALSE(Build().nodes[2].relays);
  for (int i = 0; i < 2; ++i) HearAdvert(3, 2);
  EXPECT_TRUE(Build().nodes[2].relays);
}

TEST_F(ReadinessMaterialTest, LeavesOutWhoIsNoLongerActive) {
  HearAdvert(1);
  material_.nodes.erase(material_.nodes.begin());
  const ReadinessInput input = Build();
  EXPECT_EQ(input.nodes.size(), 2U);
  EXPECT_EQ(input.graph.node_count(), 2U);
}

}  // namespace
}  // namespace heliograph::server
