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
