#include "common/capability_merge.h"

#include <gtest/gtest.h>

namespace heliograph {
namespace {

CapabilityState Stored(CapabilityStatus status, std::optional<CapabilityEvidence> evidence) {
  CapabilityState state;
  state.status = status;
  state.evidence = evidence;
  return state;
}

CapabilityEntry Said(CapabilityStatus status, std::optional<CapabilityEvidence> evidence) {
  CapabilityEntry entry;
  entry.status = status;
  entry.evidence = evidence;
  return entry;
}

constexpr auto kUnknown = CapabilityStatus::kUnknown;
constexpr auto kSuspected = CapabilityStatus::kSuspected;
constexpr auto kConfirmed = CapabilityStatus::kConfirmed;
constexpr auto kAdvert = CapabilityEvidence::kAdvert;
constexpr auto kRelay = CapabilityEvidence::kRelay;
constexpr auto kPath = CapabilityEvidence::kPath;

TEST(CapabilityMerge, NeverErasesAKnownFactByIgnorance) {
  for (const auto& stored :
       {Stored(kConfirmed, kAdvert), Stored(kConfirmed, kRelay), Stored(kSuspected, kPath)})
    EXPECT_EQ(Merge(stored, Said(kUnknown, std::nullopt)), stored);
}

TEST(CapabilityMerge, NeverWeakensEvidence) {
  EXPECT_EQ(Merge(Stored(kConfirmed, kAdvert), Said(kConfirmed, kRelay)).evidence, kAdvert);
  EXPECT_EQ(Merge(Stored(kConfirmed, kRelay), Said(kSuspected, kPath)).status, kConfirmed);
}

TEST(CapabilityMerge, TakesStrongerEvidence) {
  EXPECT_EQ(Merge(Stored(kSuspected, kPath), Said(kConfirmed, kRelay)).evidence, kRelay);
  EXPECT_EQ(Merge(Stored(kConfirmed, kRelay), Said(kConfirmed, kAdvert)).evidence, kAdvert);
  EXPECT_EQ(Merge(CapabilityState{}, Said(kSuspected, kPath)).status, kSuspected);
}

TEST(CapabilityMerge, LetsTheLargestHashSizeOnlyGrow) {
  auto stored = Stored(kConfirmed, kAdvert);
  stored.max_hash_size = 3;
  auto said = Said(kConfirmed, kAdvert);
  said.max_hash_size = 2;
  EXPECT_EQ(Merge(stored, said).max_hash_size, 3);
  EXPECT_EQ(Merge(CapabilityState{}, said).max_hash_size, 2);
}

TEST(CapabilityMerge, TakesAdoptionBackOnlyOnTheWordOfAdverts) {
  auto stored = Stored(kConfirmed, kAdvert);
  stored.adopted = true;
  EXPECT_TRUE(Merge(stored, Said(kUnknown, std::nullopt)).adopted);
  EXPECT_TRUE(Merge(stored, Said(kConfirmed, kRelay)).adopted);
  EXPECT_FALSE(Merge(stored, Said(kConfirmed, kAdvert)).adopted);
}

TEST(CapabilityMerge, MovesAProbabilityOnlyByFiveHundredthsOrMore) {
  auto stored = Stored(kSuspected, kPath);
  stored.probability = 50;
  auto said = Said(kSuspected, kPath);
  said.probability = 0.54;
  EXPECT_EQ(Merge(stored, said).probability, 50);
  said.probability = 0.55;
  EXPECT_EQ(Merge(stored, said).probability, 55);
}

TEST(CapabilityMerge, NeverCallsAConfirmedNodeLegacy) {
  auto said = Said(kUnknown, std::nullopt);
  said.likely_legacy = true;
  EXPECT_TRUE(Merge(CapabilityState{}, said).likely_legacy);
  EXPECT_FALSE(Merge(Stored(kConfirmed, kAdvert), said).likely_legacy);
}

}  // namespace
}  // namespace heliograph
