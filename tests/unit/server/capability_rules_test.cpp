#include "server/analytics/capability_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using Status = CapabilityStatus;
using Evidence = CapabilityEvidence;

/// How many flood adverts of a size there were, and how many of them after a hop.
struct Adverts {
  std::uint32_t count = 0, with_hops = 0;
};

AdvertEvidence EvidenceOf(const std::array<Adverts, 3>& adverts) {
  AdvertEvidence evidence;
  for (std::size_t i = 0; i < 3; ++i) {
    evidence.flood[i].adverts = adverts[i].count;
    evidence.flood[i].with_hops = adverts[i].with_hops;
    evidence.flood[i].last_heard = At(static_cast<std::int64_t>(i));
    if (adverts[i].count > 0)
      evidence.newest.push_back(
          {1, At(static_cast<std::int64_t>(i)), static_cast<std::uint8_t>(i + 1), true});
  }
  return evidence;
}

struct Case {
  std::string name;
  std::string role;
  std::array<Adverts, 3> adverts;
  std::vector<HopSupport> hops;
  Status status;
  std::optional<Evidence> evidence;
  std::optional<std::uint8_t> max_hash_size;
};

class DecideCapabilityTable : public ::testing::TestWithParam<Case> {};

TEST_P(DecideCapabilityTable, Concludes) {
  const Case& given = GetParam();
  const AdvertEvidence adverts = EvidenceOf(given.adverts);
  const CapabilityEntry entry = DecideCapability({given.role, &adverts, given.hops, 100});
  EXPECT_EQ(entry.status, given.status);
  EXPECT_EQ(entry.evidence, given.evidence);
  EXPECT_EQ(entry.max_hash_size, given.max_hash_size);
  EXPECT_EQ(entry.probability.has_value(), given.status != Status::kUnknown);
  EXPECT_FALSE(entry.likely_legacy);
}

HopSupport Hop(std::size_t size, std::size_t candidates) {
  return {size, 3, At(0), candidates};
}

INSTANTIATE_TEST_SUITE_P(
    Rules, DecideCapabilityTable,
    ::testing::Values(
        Case{"TwoByteAdvert", "repeater", {{{}, {1, 1}, {}}}, {}, Status::kConfirmed, Evidence::kAdvert, 2},
        Case{"CompanionAdvertToo",
             "companion",
             {{{}, {1, 1}, {}}},
             {},
             Status::kConfirmed,
             Evidence::kAdvert,
             2},
        Case{"ThreeByteAdvert", "repeater", {{{}, {}, {1, 1}}}, {}, Status::kConfirmed, Evidence::kAdvert, 3},
        Case{"SwitchedFromOneByte",
             "repeater",
             {{{9, 9}, {1, 1}, {}}},
             {},
             Status::kConfirmed,
             Evidence::kAdvert,
             2},
        Case{"OnlyOneByteAdverts", "repeater", {{{5, 5}, {}, {}}}, {}, Status::kUnknown, {}, 1},
        Case{"NothingKnown", "repeater", {}, {}, Status::kUnknown, {}, {}},
        Case{"LoneZeroHop", "repeater", {{{}, {1, 0}, {}}}, {}, Status::kConfirmed, Evidence::kAdvert, 2},
        Case{"LoneZeroHopBesideOneByte", "repeater", {{{1, 0}, {1, 0}, {}}}, {}, Status::kUnknown, {}, 1},
        Case{"TwoZeroHopBesideOneByte",
             "repeater",
             {{{1, 0}, {2, 0}, {}}},
             {},
             Status::kConfirmed,
             Evidence::kAdvert,
             2},
        Case{"LoneZeroHopOfThreeBytesCannotOverflow",
             "repeater",
             {{{1, 0}, {}, {1, 0}}},
             {},
             Status::kConfirmed,
             Evidence::kAdvert,
             3},
        Case{"UniqueHop",
             "repeater",
             {{{5, 5}, {}, {}}},
             {Hop(2, 1)},
             Status::kConfirmed,
             Evidence::kRelay,
             2},
        Case{"UniqueHopOfRoom", "room", {}, {Hop(3, 1)}, Status::kConfirmed, Evidence::kRelay, 3},
        Case{"UniqueHopOfCompanion", "companion", {}, {Hop(2, 1)}, Status::kSuspected, Evidence::kPath, 2},
        Case{"UniqueHopOfSensor", "sensor", {}, {Hop(2, 1)}, Status::kSuspected, Evidence::kPath, 2},
        Case{"UniqueHopOfUnnamedRole", "type-7", {}, {Hop(2, 1)}, Status::kSuspected, Evidence::kPath, 2},
        Case{
            "SharedHop", "repeater", {{{5, 5}, {}, {}}}, {Hop(2, 2)}, Status::kSuspected, Evidence::kPath, 2},
        Case{"SharedAndUniqueHop",
             "repeater",
             {},
             {Hop(2, 2), Hop(3, 1)},
             Status::kConfirmed,
             Evidence::kRelay,
             3},
        Case{"AdvertGoesBeforeRelay",
             "repeater",
             {{{}, {1, 1}, {}}},
             {Hop(3, 1)},
             Status::kConfirmed,
             Evidence::kAdvert,
             3},
        Case{"AdvertGoesBeforePath",
             "repeater",
             {{{}, {1, 1}, {}}},
             {Hop(3, 2)},
             Status::kConfirmed,
             Evidence::kAdvert,
             2}),
    [](const auto& test) { return test.param.name; });

TEST(DecideCapability, AdoptedIsWhatTheNewestFloodAdvertShows) {
  AdvertEvidence evidence = EvidenceOf({{{1, 1}, {1, 1}, {}}});
  EXPECT_TRUE(DecideCapability({"repeater", &evidence, {}, 10}).adopted);
  evidence.newest.push_back({2, At(900), 1, true});
  EXPECT_FALSE(DecideCapability({"repeater", &evidence, {}, 10}).adopted);
}

TEST(DecideCapability, RelayIsNearlyCertainAndMoreSoWithLongerHashes) {
  const double two = *DecideCapability({"repeater", nullptr, {Hop(2, 1)}, 1000}).probability;
  const double three = *DecideCapability({"repeater", nullptr, {Hop(3, 1)}, 1000}).probability;
  EXPECT_NEAR(two, 1 - 1024.0 / 65536, 0.001);
  EXPECT_GT(three, 0.9999);
}

TEST(DecideCapability, AUniqueHopConfirmsOnlyWhileItIsAsGoodAsCertain) {
  const CapabilityEntry small = DecideCapability({"repeater", nullptr, {Hop(2, 1)}, 2048});
  EXPECT_EQ(small.evidence, Evidence::kRelay);
  const CapabilityEntry large = DecideCapability({"repeater", nullptr, {Hop(2, 1)}, 10'000});
  EXPECT_EQ(large.status, Status::kSuspected);
  EXPECT_EQ(large.evidence, Evidence::kPath);
  EXPECT_NEAR(*large.probability, 0.78, 0.01);
  EXPECT_EQ(large.relay_proofs, 0U);
  EXPECT_EQ(DecideCapability({"repeater", nullptr, {Hop(3, 1)}, 10'000}).evidence, Evidence::kRelay);
}

TEST(DecideCapability, PathSharesTheHopAmongItsCandidates) {
  EXPECT_NEAR(*DecideCapability({"repeater", nullptr, {Hop(2, 4)}, 9}).probability, 0.25, 1e-9);
  EXPECT_NEAR(*DecideCapability({"repeater", nullptr, {Hop(2, 2), Hop(3, 2)}, 9}).probability, 0.75, 1e-9);
}

TEST(DecideCapability, MoreOfTheSameHashMakesItNoMoreCertain) {
  EXPECT_EQ(DecideCapability({"repeater", nullptr, {Hop(2, 2), Hop(2, 2)}, 9}).probability, 0.5);
}

NodeCapability Stored(Status status, std::optional<Evidence> evidence) {
  NodeCapability stored;
  stored.status = status;
  stored.evidence = evidence;
  stored.probability = 1.0;
  stored.max_hash_size = 3;
  return stored;
}

TEST(MergeKnown, IgnoranceErasesNothing) {
  const NodeCapability merged = MergeKnown(Stored(Status::kConfirmed, Evidence::kAdvert), CapabilityEntry{});
  EXPECT_EQ(merged.status, Status::kConfirmed);
  EXPECT_EQ(merged.evidence, Evidence::kAdvert);
  EXPECT_EQ(merged.max_hash_size, 3);
}

TEST(MergeKnown, WeakerEvidenceDoesNotReplaceStronger) {
  CapabilityEntry computed;
  computed.status = Status::kSuspected;
  computed.evidence = Evidence::kPath;
  computed.path_hints = 5;
  const NodeCapability merged = MergeKnown(Stored(Status::kConfirmed, Evidence::kRelay), computed);
  EXPECT_EQ(merged.status, Status::kConfirmed);
  EXPECT_EQ(merged.evidence, Evidence::kRelay);
  EXPECT_EQ(merged.path_hints, 5U);
}

TEST(MergeKnown, StrongerEvidenceReplacesWeaker) {
  CapabilityEntry computed;
  computed.status = Status::kConfirmed;
  computed.evidence = Evidence::kAdvert;
  computed.probability = 1.0;
  const NodeCapability merged = MergeKnown(Stored(Status::kConfirmed, Evidence::kRelay), computed);
  EXPECT_EQ(merged.evidence, Evidence::kAdvert);
}

TEST(MergeKnown, ShowsTheProbabilityAsItWillBeStored) {
  CapabilityEntry computed;
  computed.probability = 0.123;
  EXPECT_EQ(MergeKnown(NodeCapability{}, computed).probability, 0.12);
  NodeCapability stored;
  stored.probability = 0.12;
  computed.probability = 0.16;
  EXPECT_EQ(MergeKnown(stored, computed).probability, 0.12);
  computed.probability = 0.18;
  EXPECT_EQ(MergeKnown(stored, computed).probability, 0.18);
}

TEST(DiffersForStorage, SmallMovesOfTheProbabilityDoNot) {
  NodeCapability stored;
  stored.probability = 0.5;
  CapabilityEntry computed;
  computed.probability = 0.54;
  EXPECT_FALSE(DiffersForStorage(stored, MergeKnown(stored, computed)));
  computed.probability = 0.56;
  EXPECT_TRUE(DiffersForStorage(stored, MergeKnown(stored, computed)));
}

TEST(SupportsOf, ANodeIsNoRelayOfItsOwnPacketButItsTwinIs) {
  const PublicKey signer = KeyOf({1, 2}, 1), twin = KeyOf({1, 2}, 2);
  PrefixIndex index;
  index.Add(IdentityKey{1}, signer);
  index.Add(IdentityKey{2}, twin);
  CapabilityEvidenceStore store;
  const Bytes path{1, 2};
  Reception reception;
  reception.observation = reception.transmission = 1;
  reception.route = RouteType::kFlood;
  reception.type = PayloadType::kAdvert;
  reception.path_length = *PathLength::Of(2, 1);
  reception.path = path;
  reception.origin = IdentityKey{1};
  reception.origin_key = &signer;
  store.Add(reception);
  EXPECT_TRUE(SupportsOf(IdentityKey{1}, signer, store, index).empty());
  const auto supports = SupportsOf(IdentityKey{2}, twin, store, index);
  ASSERT_EQ(supports.size(), 1U);
  EXPECT_EQ(supports[0].candidates, 1U);
}

}  // namespace
}  // namespace heliograph::server
