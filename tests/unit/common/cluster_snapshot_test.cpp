#include "common/cluster_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>

#include <nlohmann/json.hpp>

#include "common/bytes.h"

namespace heliograph {
namespace {

using ::testing::HasSubstr;

std::string NodeKey(int number) {
  char hex[65];
  std::snprintf(hex, sizeof hex, "%064x", static_cast<unsigned>(number));
  return hex;
}

/// A run of `sizes.size()` clusters over the nodes from 1 on, and one node that belongs nowhere.
ClusterSnapshot RunOf(const std::vector<int>& sizes) {
  ClusterSnapshot snapshot;
  snapshot.algorithm = "leiden-modularity/1";
  snapshot.parameters = R"({"resolution":1.5})";
  snapshot.input_digest[0] = 7;
  snapshot.watermark = 42;
  snapshot.data_time = UtcMillis(std::chrono::milliseconds(1'790'000'000'123));
  snapshot.quality = {{"modularity", 0.5}};
  int next = 1;
  for (const int size : sizes) {
    SnapshotCluster cluster;
    for (int i = 0; i < size; ++i) cluster.members.push_back({NodeKey(next++), 0.75});
    cluster.representative = cluster.members.back().key;
    cluster.cohesion = 0.25;
    cluster.label = "SJC";
    snapshot.clusters.push_back(cluster);
  }
  snapshot.unclustered = {NodeKey(next)};
  return snapshot;
}

ClusterSnapshot AnyRun() {
  auto snapshot = RunOf(*rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 6)));
  snapshot.coverage = *rc::gen::element(RunCoverage::kFull, RunCoverage::kPartial);
  snapshot.match_rule = *rc::gen::element(MatchRule::kMemory, MatchRule::kPlainJaccard);
  for (SnapshotCluster& cluster : snapshot.clusters)
    for (SnapshotMember& member : cluster.members) member.strength = *rc::gen::inRange(0, 1001) / 1000.0;
  if (*rc::gen::arbitrary<bool>()) snapshot.job = Ulid::Generate(WallClockNow());
  if (*rc::gen::arbitrary<bool>()) snapshot.data_time.reset();
  return snapshot;
}

void Shuffle(ClusterSnapshot& snapshot, unsigned seed) {
  std::mt19937 random(seed);
  for (SnapshotCluster& cluster : snapshot.clusters)
    std::shuffle(cluster.members.begin(), cluster.members.end(), random);
  std::shuffle(snapshot.clusters.begin(), snapshot.clusters.end(), random);
  std::shuffle(snapshot.unclustered.begin(), snapshot.unclustered.end(), random);
}

TEST(ClusterSnapshot, ComesBackAsItWentWhateverTheOrder) {
  EXPECT_TRUE(rc::check([] {
    const ClusterSnapshot snapshot = AnyRun();
    ClusterSnapshot shuffled = snapshot;
    Shuffle(shuffled, *rc::gen::arbitrary<unsigned>());
    const std::string text = EncodeClusterSnapshot(shuffled);
    const auto decoded = DecodeClusterSnapshot(text);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == snapshot);
    RC_ASSERT(EncodeClusterSnapshot(*decoded) == text);
  }));
}

TEST(ClusterSnapshot, SurvivesAnyDamageToItsText) {
  EXPECT_TRUE(rc::check([] {
    std::string text = EncodeClusterSnapshot(AnyRun());
    const auto position = *rc::gen::inRange<std::size_t>(0, text.size());
    text[position] = *rc::gen::arbitrary<char>();
    const auto decoded = DecodeClusterSnapshot(text);
    if (decoded) RC_ASSERT(DecodeClusterSnapshot(EncodeClusterSnapshot(*decoded)).value() == *decoded);
  }));
}

TEST(ClusterSnapshot, HasTheSameContentWhenOnlyFiguresDiffer) {
  const ClusterSnapshot run = RunOf({3, 2});
  ClusterSnapshot later = run;
  later.watermark = 50;
  later.input_digest[0] = 9;
  later.clusters[0].members[0].strength = 0.1;
  EXPECT_EQ(ContentDigest(run), ContentDigest(later));
}

TEST(ClusterSnapshot, HasAnotherContentWhenAMemberMoves) {
  EXPECT_NE(ContentDigest(RunOf({3, 2})), ContentDigest(RunOf({2, 3})));
}

TEST(ClusterSnapshot, RefusesAMemberOfTwoClusters) {
  ClusterSnapshot run = RunOf({3, 2});
  run.clusters[1].members.push_back(run.clusters[0].members[0]);
  const auto decoded = DecodeClusterSnapshot(EncodeClusterSnapshot(run));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error(), HasSubstr("twice"));
}

TEST(ClusterSnapshot, RefusesAMemberThatIsUnclusteredToo) {
  ClusterSnapshot run = RunOf({3});
  run.unclustered.push_back(run.clusters[0].members[0].key);
  EXPECT_FALSE(DecodeClusterSnapshot(EncodeClusterSnapshot(run)));
}

TEST(ClusterSnapshot, TakesAnyTextAsTheKeyOfAnItem) {
  ClusterSnapshot run = RunOf({});
  run.collection = ClusterCollection::kItems;
  run.unclustered = {"github:42", "é"};
  EXPECT_TRUE(DecodeClusterSnapshot(EncodeClusterSnapshot(run)));
}

struct Refusal {
  const char* pointer;
  nlohmann::json value;
};

class ClusterSnapshotRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(ClusterSnapshotRefusal, NamesWhatIsWrong) {
  auto json = nlohmann::json::parse(EncodeClusterSnapshot(RunOf({2, 2})));
  json[nlohmann::json::json_pointer(GetParam().pointer)] = GetParam().value;
  const auto decoded = DecodeClusterSnapshot(json.dump());
  ASSERT_FALSE(decoded) << json.dump();
  EXPECT_THAT(decoded.error(), HasSubstr("the run "));
}

INSTANTIATE_TEST_SUITE_P(
    Members, ClusterSnapshotRefusal,
    ::testing::Values(Refusal{"/collection", "stars"}, Refusal{"/collection", 1},
                      Refusal{"/coverage", "some"}, Refusal{"/match_rule", "luck"}, Refusal{"/algorithm", ""},
                      Refusal{"/algorithm", std::string(257, 'a')}, Refusal{"/parameters", "{}"},
                      Refusal{"/parameters/x", std::string(9000, 'x')}, Refusal{"/input_digest", "ab"},
                      Refusal{"/watermark", -1}, Refusal{"/watermark", 1.5},
                      Refusal{"/watermark", std::uint64_t{1} << 63}, Refusal{"/data_time", "now"},
                      Refusal{"/job", "j1"}, Refusal{"/quality/modularity", "good"},
                      Refusal{"/quality/modularity", nullptr}, Refusal{"/surplus", 1},
                      Refusal{"/clusters", 5}, Refusal{"/clusters/0", 5}, Refusal{"/clusters/0/surplus", 1},
                      Refusal{"/clusters/0/members", nlohmann::json::array()},
                      Refusal{"/clusters/0/representative", NodeKey(99)},
                      Refusal{"/clusters/0/cohesion", 1.5}, Refusal{"/clusters/0/label", nullptr},
                      Refusal{"/clusters/0/members/0/0", "AB"},
                      Refusal{"/clusters/0/members/0/0", std::string(64, 'A')},
                      Refusal{"/clusters/0/members/0/1", 1.01}, Refusal{"/clusters/0/members/0/1", nullptr},
                      Refusal{"/clusters/0/members/0", "key"}, Refusal{"/unclustered/0", 7}));

TEST(ClusterSnapshot, RefusesWhatIsNoRunAtAll) {
  for (const char* text : {"", "{", "[]", "{}", "null", "\xff"})
    EXPECT_FALSE(DecodeClusterSnapshot(text)) << text;
}

}  // namespace
}  // namespace heliograph
