#include "server/analytics/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace heliograph::server {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kSure = 0.9999;
constexpr double kNever = 0.0001;

PublicKey KeyOf(std::size_t number) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return *PublicKey::FromBytes(bytes);
}

/// A mesh that is built by hand.
class Mesh {
 public:
  explicit Mesh(std::vector<std::string> regions = {"SJC"}) { input_.regions = std::move(regions); }

  GraphNode Relay(double capable, RegionIndex region = 0) {
    ReadinessNode node;
    node.public_key = KeyOf(input_.nodes.size() + 1);
    node.capable = capable;
    node.status = capable > 0.5 ? CapabilityStatus::kConfirmed : CapabilityStatus::kUnknown;
    node.has_evidence = true;
    node.advertises = true;
    node.relays = true;
    node.relayed = 10;
    node.home = region;
    input_.nodes.push_back(node);
    return static_cast<GraphNode>(input_.nodes.size() - 1);
  }
  GraphNode Companion(double capable, RegionIndex region = 0) {
    const GraphNode node = Relay(capable, region);
    input_.nodes[node].relays = false;
    input_.nodes[node].relayed = 0;
    return node;
  }
  void Observe(GraphNode node, RegionIndex region = 0) { input_.nodes[node].observer_in = region; }
  void Link(GraphNode a, GraphNode b, double probability = 1) {
    links_.push_back({a, b, probability});
    links_.push_back({b, a, probability});
  }
  ReadinessNode& operator[](GraphNode node) { return input_.nodes[node]; }

  ReadinessInput Input() {
    ReadinessInput input = input_;
    input.graph = RelayGraph(input.nodes.size(), links_);
    return input;
  }
  SwitchReadiness Assess() { return AssessSwitch(Input()); }

 private:
  ReadinessInput input_;
  std::vector<RelayLink> links_;
};

double NodeShare(const ReadinessScope& scope) {
  return scope.two_bytes.node_share.value().share;
}

/// Five relays in a row, of which the one in the middle has this chance to be capable.
Mesh Chain(double middle) {
  Mesh mesh;
  for (const double capable : {kSure, kSure, middle, kSure, kSure}) mesh.Relay(capable);
  for (GraphNode i = 0; i + 1 < 5; ++i) mesh.Link(i, i + 1);
  mesh.Observe(4);
  return mesh;
}

TEST(Readiness, LosesNothingWhereAllAreCapable) {
  const SwitchReadiness readiness = Chain(kSure).Assess();
  EXPECT_THAT(NodeShare(readiness.scopes[0]), DoubleNear(1, 0.01));
  EXPECT_THAT(readiness.scopes[0].two_bytes.observer_share->share, DoubleNear(1, 0.01));
  EXPECT_THAT(readiness.scopes[0].two_bytes.blockers, IsEmpty());
}

TEST(Readiness, IsBlockedBehindALegacyRelayOfAChain) {
  const SwitchReadiness readiness = Chain(kNever).Assess();
  // The four capable reach one neighbour each of four; the one in the middle still reaches all four.
  EXPECT_THAT(NodeShare(readiness.scopes[0]), DoubleNear(8.0 / 20, 0.01));
  // The observer hears the one in the middle and its neighbour, of four.
  EXPECT_THAT(readiness.scopes[0].two_bytes.observer_share->share, DoubleNear(2.0 / 4, 0.01));
}

TEST(Readiness, NamesTheRelayThatBlocksAChain) {
  Mesh mesh = Chain(kNever);
  const SwitchReadiness readiness = mesh.Assess();
  const auto& blockers = readiness.scopes[0].two_bytes.blockers;
  ASSERT_THAT(blockers, SizeIs(1));
  EXPECT_EQ(blockers[0].public_key, mesh[2].public_key);
  EXPECT_THAT(blockers[0].gain, DoubleNear(12.0 / 20, 0.02));
}

TEST(Readiness, TellsWhatASecondUpgradeAddsToTheFirst) {
  Mesh mesh;
  for (const double capable : {kSure, kNever, kSure, kNever, kSure, kSure}) mesh.Relay(capable);
  for (GraphNode i = 0; i + 1 < 6; ++i) mesh.Link(i, i + 1);
  const SwitchReadiness readiness = mesh.Assess();
  const auto& blockers = readiness.scopes[0].two_bytes.blockers;
  ASSERT_THAT(blockers, SizeIs(2));
  EXPECT_EQ(blockers[0].public_key, mesh[3].public_key);
  EXPECT_THAT(NodeShare(readiness.scopes[0]) + blockers[0].gain + blockers[1].gain, DoubleNear(1, 0.02));
}

TEST(Readiness, SurvivesOneLegacyRelayInARing) {
  Mesh mesh;
  for (int i = 0; i < 6; ++i) mesh.Relay(i == 0 ? kNever : kSure);
  for (GraphNode i = 0; i < 6; ++i) mesh.Link(i, (i + 1) % 6);
  // Only the legacy relay itself receives nothing from the five others.
  EXPECT_THAT(NodeShare(mesh.Assess().scopes[0]), DoubleNear(25.0 / 30, 0.01));
}

TEST(Readiness, LetsALegacyOriginReachAllThatItReachesToday) {
  Mesh mesh;
  const GraphNode relay = mesh.Relay(kNever), far = mesh.Relay(kNever), sender = mesh.Companion(kNever);
  mesh.Link(sender, relay);
  mesh.Link(relay, far);
  EXPECT_THAT(NodeShare(mesh.Assess().scopes[0]), DoubleNear(1, 0.01));
}

TEST(Readiness, CountsAnOriginThatHasSwitchedAlreadyAsItIsToday) {
  Mesh mesh = Chain(kNever);
  for (const GraphNode i : {0U, 1U, 3U, 4U}) mesh[i].present_size = 2;
  EXPECT_THAT(NodeShare(mesh.Assess().scopes[0]), DoubleNear(1, 0.01));
}

TEST(Readiness, DoesNotForwardThroughCompanions) {
  Mesh mesh;
  const GraphNode a = mesh.Relay(kSure), between = mesh.Companion(kSure), b = mesh.Relay(kSure);
  mesh.Link(a, between);
  mesh.Link(between, b);
  mesh.Observe(b);
  const SwitchReadiness readiness = mesh.Assess();
  EXPECT_THAT(readiness.scopes[0].two_bytes.observer_share->share, DoubleNear(1, 0.01));
  EXPECT_EQ(readiness.scopes[0].knowledge.nodes, 3);
}

TEST(Readiness, CountsARegionByItsDestinations) {
  Mesh mesh({"OAK", "SJC"});
  const GraphNode west = mesh.Relay(kSure, 0), bridge = mesh.Relay(kNever, 0);
  const GraphNode east = mesh.Relay(kSure, 1), far_east = mesh.Relay(kSure, 1);
  mesh.Link(west, bridge);
  mesh.Link(bridge, east);
  mesh.Link(east, far_east);
  mesh.Observe(east, 1);
  const SwitchReadiness readiness = mesh.Assess();
  ASSERT_THAT(readiness.scopes, SizeIs(3));
  EXPECT_EQ(readiness.Find("OAK")->two_bytes.observer_share, std::nullopt);
  // In the west: from the bridge to its neighbour, of 3 + 3. In the east: all from the bridge, and each
  // other.
  EXPECT_THAT(NodeShare(*readiness.Find("OAK")), DoubleNear(1.0 / 6, 0.01));
  EXPECT_THAT(NodeShare(*readiness.Find("SJC")), DoubleNear(4.0 / 6, 0.01));
  EXPECT_THAT(readiness.Find("SJC")->two_bytes.observer_share->share, DoubleNear(2.0 / 3, 0.01));
}

TEST(Readiness, KnowsThatFewerHopsFitWithLargerHashes) {
  Mesh mesh;
  for (int i = 0; i < 28; ++i) mesh.Relay(kSure);
  for (GraphNode i = 0; i + 1 < 28; ++i) mesh.Link(i, i + 1);
  const SwitchReadiness readiness = mesh.Assess();
  EXPECT_THAT(NodeShare(readiness.scopes[0]), DoubleNear(1, 0.01));
  EXPECT_LT(readiness.scopes[0].three_bytes.node_share->share, 0.99);
}

TEST(Readiness, SharesTheTrafficOutByStatus) {
  Mesh mesh = Chain(kNever);
  mesh[2].likely_legacy = true;
  mesh[2].relayed = 60;
  mesh[3].status = CapabilityStatus::kSuspected;
  mesh[4].has_evidence = false;
  const ReadinessScope scope = mesh.Assess().scopes[0];
  EXPECT_EQ(scope.traffic, (RelayedTraffic{0.3, 0.1, 0.6, 0}));
  EXPECT_DOUBLE_EQ(scope.knowledge.traffic_with_evidence, 0.9);
  EXPECT_EQ(scope.knowledge.nodes_with_evidence, 4);
}

double Width(const SwitchReadiness& readiness) {
  const ShareEstimate share = readiness.scopes[0].two_bytes.node_share.value();
  return share.high - share.low;
}

TEST(Readiness, IsLessSureTheLessIsKnown) {
  Mesh mesh;
  for (int i = 0; i < 40; ++i) mesh.Relay(i % 4 == 0 ? kNever : kSure);
  for (GraphNode i = 0; i < 40; ++i) {
    mesh.Link(i, (i + 1) % 40);
    mesh.Link(i, (i + 7) % 40);
  }
  const double known = Width(mesh.Assess());
  for (GraphNode i = 0; i < 40; ++i) {
    mesh[i].has_evidence = false;
    mesh[i].capable = 0.7;
  }
  EXPECT_GT(Width(mesh.Assess()), 1.5 * known);
}

TEST(Readiness, SaysTheSameOfTheSame) {
  Mesh mesh = Chain(0.4);
  EXPECT_EQ(mesh.Assess(), mesh.Assess());
}

TEST(Readiness, HasNoSharesOfAnEmptyMesh) {
  const SwitchReadiness readiness = AssessSwitch({});
  ASSERT_THAT(readiness.scopes, SizeIs(1));
  EXPECT_EQ(readiness.scopes[0].two_bytes.node_share, std::nullopt);
  EXPECT_EQ(readiness.scopes[0].traffic, RelayedTraffic{});
}

}  // namespace
}  // namespace heliograph::server
