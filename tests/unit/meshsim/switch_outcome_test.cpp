#include "tests/meshsim/switch_outcome.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/meshsim/flood.h"
#include "tests/meshsim/life.h"
#include "tests/unit/meshsim/small_capture.h"

namespace heliograph::meshsim {
namespace {

class SwitchOutcomeTest : public testing::Test {
 protected:
  static constexpr UtcMillis kStart{std::chrono::milliseconds(1'767'225'600'000)};

  explicit SwitchOutcomeTest(double legacy_share = 0.4)
      : random_(5),
        world_(BuildWorld(2, {50, legacy_share, 0, kStart, {}, 0, 0, 0}, random_)),
        observers_(ChooseObservers(world_, 12, random_.Fork(9))),
        states_(StatesAtStart(world_.nodes, kStart)),
        advertised_(world_.nodes.size(), 1) {}

  SwitchOutcome Ask(const SwitchQuestion& question = {}) const {
    return EstimateSwitch(world_, observers_, states_, advertised_, question, random_);
  }
  std::vector<NodeIndex> LegacyRelays() const {
    std::vector<NodeIndex> found;
    for (NodeIndex i = 0; i < states_.size(); ++i) {
      if (world_.nodes[i].relays && states_[i].firmware == Firmware::kLegacy) found.push_back(i);
    }
    return found;
  }

  Random random_;
  World world_;
  ObserverSet observers_;
  NodeStates states_;
  std::vector<std::uint8_t> advertised_;
};

class ModernMesh : public SwitchOutcomeTest {
 protected:
  ModernMesh() : SwitchOutcomeTest(0) {}
};
class OldMesh : public SwitchOutcomeTest {
 protected:
  OldMesh() : SwitchOutcomeTest(1) {}
};

TEST_F(ModernMesh, LosesNothing) {
  const SwitchOutcome outcome = Ask();
  EXPECT_EQ(outcome.two.whole.to_nodes.value, 1);
  EXPECT_EQ(outcome.three.whole.to_observers.value, 1);
  EXPECT_EQ(outcome.two.whole.to_nodes.standard_error, 0);
}

TEST_F(OldMesh, CannotSwitchAndLosesNothing) {
  EXPECT_EQ(Ask().two.whole.to_nodes.value, 1);
}

TEST_F(SwitchOutcomeTest, AMixedMeshLosesDeliveriesInEachRegion) {
  const SwitchOutcome outcome = Ask();
  ASSERT_EQ(outcome.two.regions.size(), 2u);
  for (const SurvivingShares& region : outcome.two.regions) {
    EXPECT_LT(*region.to_nodes.value, 1);
    EXPECT_GT(*region.to_nodes.value, 0);
  }
  EXPECT_LT(*outcome.two.whole.to_observers.value, 1);
  EXPECT_LT(outcome.two.whole.to_nodes.standard_error, 0.02);
}

TEST_F(SwitchOutcomeTest, TheSharesAreThoseOfFloodsWithOtherChances) {
  Flood flood(world_, states_, ListenersOf(observers_));
  const auto observers_reached = [&](NodeIndex origin, std::size_t hash_size) {
    Propagation out;
    flood.Run(origin, {hash_size, AirtimeMillis(130), true}, std::nullopt, kStart, random_, out);
    std::set<NodeIndex> reached;
    for (const Hearing& hearing : out.hearings) {
      if (hearing.listener != origin) reached.insert(hearing.listener);
    }
    return static_cast<double>(reached.size());
  };
  double today = 0, after = 0;
  for (NodeIndex origin = 0; origin < states_.size(); ++origin) {
    const std::size_t size = states_[origin].OwnHashSize();
    for (int i = 0; i < 100; ++i) {
      today += observers_reached(origin, size);
      after += observers_reached(
          origin, states_[origin].firmware == Firmware::kLegacy ? 1 : std::max<std::size_t>(size, 2));
    }
  }
  EXPECT_NEAR(*Ask().two.whole.to_observers.value, after / today, 0.015);
}

TEST_F(SwitchOutcomeTest, NodesThatNeverAdvertisedOrAreDownCountForNothing) {
  std::ranges::fill(advertised_, std::uint8_t{0});
  advertised_[3] = 1;
  EXPECT_EQ(Ask().origins, 1u);
  EXPECT_EQ(Ask().two.whole.to_nodes.value, std::nullopt);
  states_[3].up = false;
  EXPECT_EQ(Ask().origins, 0u);
}

TEST_F(SwitchOutcomeTest, UpgradingAllRelaysWinsBackDeliveries) {
  EXPECT_GT(*Ask({LegacyRelays(), 0}).two.whole.to_nodes.value, *Ask().two.whole.to_nodes.value + 0.05);
}

TEST_F(SwitchOutcomeTest, TheFirstOfTheBestUpgradesBeatsEachOther) {
  const SwitchOutcome outcome = Ask({{}, 2});
  ASSERT_EQ(outcome.best_upgrades.size(), 2u);
  const double first = *outcome.best_upgrades[0].to_nodes.value;
  EXPECT_GT(*outcome.best_upgrades[1].to_nodes.value, first);
  for (const NodeIndex other : LegacyRelays()) {
    const Share share = Ask({{other}, 0}).two.whole.to_nodes;
    EXPECT_LE(*share.value, first + 3 * share.standard_error);
  }
}

TEST_F(SwitchOutcomeTest, TheSameArgumentsGiveTheSameOutcome) {
  EXPECT_EQ(Ask().two.whole.to_nodes.value, Ask().two.whole.to_nodes.value);
}

TEST(SwitchTruth, AnUpgradeChangesNothingButTheSwitch) {
  const SmallCapture& usual = UsualCapture();
  Options options = SmallOptions();
  for (const auto& node : usual.truth.at("nodes")) {
    if (!node.at("firmware_multibyte"))
      options.upgrade.push_back(*PublicKey::FromHex(node.at("public_key").get<std::string>()));
  }
  SmallCapture upgraded = Generate(options);
  EXPECT_EQ(upgraded.lines, usual.lines);
  EXPECT_EQ(upgraded.truth.at("nodes"), usual.truth.at("nodes"));
  EXPECT_EQ(upgraded.truth.at("switch").at("upgraded").size(), options.upgrade.size());
  EXPECT_GT(upgraded.truth.at("switch").at("sizes").at("2").at("node_share"),
            usual.truth.at("switch").at("sizes").at("2").at("node_share"));
}

TEST(SwitchTruth, AnUnknownNodeCannotBeUpgraded) {
  Options options = SmallOptions();
  options.upgrade.push_back(*PublicKey::FromHex(std::string(64, 'a')));
  EXPECT_THROW(Generate(options), std::runtime_error);
}

TEST(RatioEstimate, ErrorsComeFromTheDrawsOfEachOrigin) {
  RatioEstimate estimate;
  for (const auto& [first, second] : {std::pair(2, 4), std::pair(7, 9)}) {
    estimate.Add(first, 10);
    estimate.Add(second, 10);
    estimate.EndOrigin();
  }
  EXPECT_DOUBLE_EQ(*estimate.Result(2).value, 22.0 / 40);
  EXPECT_DOUBLE_EQ(estimate.Result(2).standard_error, std::sqrt(4.0 + 4.0) / 40);  // each sum's variance is 4
  EXPECT_GT(estimate.Result(9).standard_error, estimate.Result(2).standard_error);
}

TEST(RatioEstimate, NothingToLoseIsNoShare) {
  EXPECT_EQ(RatioEstimate().Result(1).value, std::nullopt);
}

}  // namespace
}  // namespace heliograph::meshsim
