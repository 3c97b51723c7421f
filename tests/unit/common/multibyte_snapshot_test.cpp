#include "common/multibyte_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace heliograph {
namespace {

using ::testing::HasSubstr;

CapabilityEntry Confirmed(std::uint8_t first_byte) {
  std::array<std::uint8_t, PublicKey::kSize> key{};
  key[0] = first_byte;
  CapabilityEntry entry;
  entry.public_key = PublicKey(key);
  entry.status = CapabilityStatus::kConfirmed;
  entry.evidence = CapabilityEvidence::kRelay;
  entry.max_hash_size = 2;
  entry.adopted = true;
  entry.probability = 0.984375;
  entry.relay_proofs = 12;
  entry.last_proof_at = UtcMillis(std::chrono::milliseconds(1'790'000'000'123));
  return entry;
}

/// The text of one entry with one member replaced.
std::string With(const std::string& member, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(EncodeMultibyteSnapshot({{Confirmed(1)}}));
  json["nodes"][0][member] = value;
  return json.dump();
}

TEST(MultibyteSnapshot, ComesBackAsItWent) {
  CapabilityEntry unknown;
  unknown.public_key = Confirmed(9).public_key;
  const MultibyteSnapshot snapshot{{Confirmed(1), Confirmed(2), unknown}};
  const std::string text = EncodeMultibyteSnapshot(snapshot);
  const auto decoded = DecodeMultibyteSnapshot(text);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(decoded->entries, snapshot.entries);
  EXPECT_EQ(EncodeMultibyteSnapshot(*decoded), text);
}

TEST(MultibyteSnapshot, OfNoNodesIsOne) {
  const auto decoded = DecodeMultibyteSnapshot(EncodeMultibyteSnapshot({}));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->entries.empty());
}

SwitchReadiness Readiness() {
  SwitchReadiness readiness;
  readiness.scopes.resize(2);
  readiness.scopes[1].region = "SJC";
  for (ReadinessScope& scope : readiness.scopes) {
    scope.traffic = {0.5, 0.25, 0.25, 0};
    scope.knowledge = {3, 120, 40, 22, 0.75};
    scope.two_bytes.node_share = ShareEstimate{0.75, 0.5, 0.875};
    scope.three_bytes.blockers = {{Confirmed(7).public_key, 0.125}};
  }
  return readiness;
}

TEST(MultibyteSnapshot, BringsReadinessAlong) {
  const std::string text = EncodeMultibyteSnapshot({{Confirmed(1)}, Readiness()});
  const auto decoded = DecodeMultibyteSnapshot(text);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(decoded->readiness, Readiness());
  EXPECT_EQ(EncodeMultibyteSnapshot(*decoded), text);
}

/// What is said of readiness in which one member, named by its path, is replaced.
std::string RefusalOf(const std::string& path, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(EncodeMultibyteSnapshot({{}, Readiness()}));
  json["readiness"][nlohmann::json::json_pointer(path)] = value;
  const auto decoded = DecodeMultibyteSnapshot(json.dump());
  return decoded ? "" : decoded.error();
}

TEST(MultibyteSnapshot, RefusesReadinessThatMakesNoSense) {
  EXPECT_EQ(RefusalOf("/0/region", nullptr), "");
  EXPECT_THAT(RefusalOf("/0/region", "SJC"), HasSubstr("appears twice"));
  EXPECT_THAT(RefusalOf("/0/region", "OAK"), HasSubstr("the whole mesh is missing"));
  EXPECT_THAT(RefusalOf("/1/region", ""), HasSubstr("region"));
  EXPECT_THAT(RefusalOf("/1/figures/traffic/unknown", 1.5), HasSubstr("unknown"));
  EXPECT_THAT(RefusalOf("/1/figures/knowledge/observers", -1), HasSubstr("observers"));
  EXPECT_THAT(RefusalOf("/1/figures/two_bytes/node_share/low", 0.8), HasSubstr("outside its interval"));
  EXPECT_THAT(RefusalOf("/1/figures/two_bytes/node_share", 0.8), HasSubstr("no object"));
  EXPECT_THAT(RefusalOf("/1/figures/three_bytes/blockers/0/public_key", "abc"), HasSubstr("public key"));
  EXPECT_THAT(RefusalOf("/1/figures", nlohmann::json::object()), HasSubstr("traffic is missing"));
  EXPECT_THAT(RefusalOf("", "much"), HasSubstr("no list"));
}

TEST(MultibyteSnapshot, RefusesAKeyThatAppearsTwice) {
  const auto decoded = DecodeMultibyteSnapshot(EncodeMultibyteSnapshot({{Confirmed(1), Confirmed(1)}}));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error(), HasSubstr("twice"));
}

struct Refusal {
  std::string member;
  nlohmann::json value;
};

class MultibyteSnapshotRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(MultibyteSnapshotRefusal, NamesWhatIsWrong) {
  const auto decoded = DecodeMultibyteSnapshot(With(GetParam().member, GetParam().value));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error(), HasSubstr("entry 0"));
}

INSTANTIATE_TEST_SUITE_P(Members, MultibyteSnapshotRefusal,
                         ::testing::Values(Refusal{"public_key", "ab"}, Refusal{"public_key", 5},
                                           Refusal{"status", "certain"}, Refusal{"status", "unknown"},
                                           Refusal{"status", "suspected"}, Refusal{"evidence", nullptr},
                                           Refusal{"evidence", "path"}, Refusal{"evidence", "rumour"},
                                           Refusal{"max_hash_size", 0}, Refusal{"max_hash_size", 4},
                                           Refusal{"max_hash_size", 2.0}, Refusal{"adopted", 1},
                                           Refusal{"likely_legacy", nullptr}, Refusal{"probability", 1.01},
                                           Refusal{"probability", -0.1}, Refusal{"probability", "1"},
                                           Refusal{"advert_proofs", -1}, Refusal{"relay_proofs", 1.5},
                                           Refusal{"path_hints", std::uint64_t{1} << 63},
                                           Refusal{"last_proof_at", -1}, Refusal{"last_proof_at", "2026"}));

TEST(MultibyteSnapshot, RefusesWhatIsNoSnapshotAtAll) {
  for (const char* text : {"", "{", "[]", "{}", R"({"nodes":5})", R"({"nodes":[5]})", R"({"nodes":[{}]})"})
    EXPECT_FALSE(DecodeMultibyteSnapshot(text)) << text;
}

}  // namespace
}  // namespace heliograph
