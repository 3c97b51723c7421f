#include "server/analytics/capability_evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;

constexpr IdentityKey kNode{7};

/// Receptions with rising ids, each of a transmission of its own unless told otherwise.
class CapabilityEvidence : public ::testing::Test {
 protected:
  Reception Make(RouteType route, PayloadType type, std::size_t size, Bytes path) {
    path_ = std::move(path);
    Reception reception;
    reception.observation = ++observation_;
    reception.transmission = ++transmission_;
    reception.observer = IdentityKey{1};
    reception.received_at = At(1000 * observation_);
    reception.route = route;
    reception.type = type;
    reception.path_length = *PathLength::Of(size, path_.size() / size);
    reception.path = path_;
    return reception;
  }
  void AddAdvert(RouteType route, std::size_t size, Bytes path = {}, std::int64_t received_offset = -1) {
    Reception reception = Make(route, PayloadType::kAdvert, size, std::move(path));
    reception.origin = kNode;
    if (received_offset >= 0) reception.received_at = At(received_offset);
    store_.Add(reception);
  }
  HopKey Hop(std::initializer_list<std::uint8_t> bytes) { return HopKeyOf(std::data(bytes), bytes.size()); }

  CapabilityEvidenceStore store_;
  Bytes path_;
  std::int64_t observation_ = 0, transmission_ = 0;
};

TEST_F(CapabilityEvidence, CountsAnAdvertOncePerTransmissionAndItsHopsApart) {
  Reception reception = Make(RouteType::kFlood, PayloadType::kAdvert, 2, {});
  reception.origin = kNode;
  store_.Add(reception);
  Bytes path{1, 2};
  reception.observation = 2;
  reception.path = path;
  reception.path_length = *PathLength::Of(2, 1);
  store_.Add(reception);
  const SizeTally& tally = store_.AdvertsOf(kNode)->flood[1];
  EXPECT_EQ(tally.adverts, 1U);
  EXPECT_EQ(tally.with_hops, 1U);
}

TEST_F(CapabilityEvidence, ZeroHopDirectAdvertsSayNothingOfTheSize) {
  AddAdvert(RouteType::kDirect, 1);
  AddAdvert(RouteType::kTransportDirect, 1);
  const AdvertEvidence& evidence = *store_.AdvertsOf(kNode);
  EXPECT_EQ(evidence.sizes_seen, 0);
  EXPECT_FALSE(SummariseSizes(evidence).newest);
  EXPECT_THAT(evidence.observers, ElementsAre(1));
}

TEST_F(CapabilityEvidence, HopsOfDirectPacketsAndOfTracesAreNoProof) {
  store_.Add(Make(RouteType::kDirect, PayloadType::kText, 2, {1, 2}));
  store_.Add(Make(RouteType::kFlood, PayloadType::kTrace, 2, {1, 2}));
  EXPECT_EQ(store_.hop_count(), 0U);
}

TEST_F(CapabilityEvidence, HopsOfPathPacketsCount) {
  store_.Add(Make(RouteType::kTransportFlood, PayloadType::kPath, 2, {1, 2}));
  ASSERT_TRUE(store_.HopsOf(Hop({1, 2})));
  EXPECT_EQ(store_.HopsOf(Hop({1, 2}))->others.observations, 1U);
}

TEST_F(CapabilityEvidence, OneByteHopsCostNothing) {
  store_.Add(Make(RouteType::kFlood, PayloadType::kText, 1, {1, 2, 3}));
  EXPECT_EQ(store_.hop_count(), 0U);
}

TEST_F(CapabilityEvidence, AHashTwiceInOnePathIsOneObservation) {
  store_.Add(Make(RouteType::kFlood, PayloadType::kText, 2, {1, 2, 1, 2}));
  EXPECT_EQ(store_.HopsOf(Hop({1, 2}))->others.observations, 1U);
}

TEST_F(CapabilityEvidence, SizesOfAHopAreDifferentHops) {
  store_.Add(Make(RouteType::kFlood, PayloadType::kText, 2, {1, 2}));
  store_.Add(Make(RouteType::kFlood, PayloadType::kText, 3, {1, 2, 0}));
  EXPECT_EQ(store_.hop_count(), 2U);
  EXPECT_EQ(HashSize(Hop({1, 2, 0})), 3U);
}

TEST_F(CapabilityEvidence, AHopThatFitsTheSignerIsKeptApart) {
  const PublicKey signer = KeyOf({1, 2});
  Reception reception = Make(RouteType::kFlood, PayloadType::kAdvert, 2, {1, 2, 5, 6});
  reception.origin = kNode;
  reception.origin_key = &signer;
  store_.Add(reception);
  EXPECT_EQ(store_.HopsOf(Hop({1, 2}))->others.observations, 0U);
  ASSERT_EQ(store_.HopsOf(Hop({1, 2}))->by_origin.size(), 1U);
  EXPECT_EQ(store_.HopsOf(Hop({5, 6}))->others.observations, 1U);
}

TEST_F(CapabilityEvidence, FlipFlopOfSizesIsInconsistentUntilTheLastThreeAgree) {
  for (const std::size_t size : {1, 2, 1}) AddAdvert(RouteType::kFlood, size);
  EXPECT_TRUE(SummariseSizes(*store_.AdvertsOf(kNode)).inconsistent);
  for (const std::size_t size : {2, 2, 2}) AddAdvert(RouteType::kFlood, size);
  const AdvertisedHashSize settled = SummariseSizes(*store_.AdvertsOf(kNode));
  EXPECT_FALSE(settled.inconsistent);
  EXPECT_EQ(settled.newest, 2);
  EXPECT_THAT(settled.seen, ElementsAre(1, 2));
}

TEST_F(CapabilityEvidence, OneChangeOfSizeIsNoInconsistency) {
  for (const std::size_t size : {1, 1, 2}) AddAdvert(RouteType::kFlood, size);
  EXPECT_FALSE(SummariseSizes(*store_.AdvertsOf(kNode)).inconsistent);
}

TEST_F(CapabilityEvidence, NewestIsByTimeAndNotByArrival) {
  AddAdvert(RouteType::kFlood, 2, {}, 5000);
  AddAdvert(RouteType::kFlood, 1, {}, 1000);
  EXPECT_EQ(SummariseSizes(*store_.AdvertsOf(kNode)).newest, 2);
}

TEST_F(CapabilityEvidence, ForgetsTheLongestUnheardHashesBeyondTheLimit) {
  CapabilityEvidenceStore small(16);
  for (std::uint8_t i = 0; i < 40; ++i) {
    small.Add(Make(RouteType::kFlood, PayloadType::kText, 2, {0xAA, i}));
    ASSERT_LE(small.hop_count(), 16U);
  }
  EXPECT_EQ(small.evicted_hops(), 40 - small.hop_count());
  EXPECT_FALSE(small.HopsOf(Hop({0xAA, 0})));
  EXPECT_TRUE(small.HopsOf(Hop({0xAA, 39})));
}

TEST_F(CapabilityEvidence, ReportsOnlyWhatChangedSinceItWasAsked) {
  AddAdvert(RouteType::kFlood, 2, {1, 2});
  const auto changes = store_.TakeChanges();
  EXPECT_TRUE(changes.origins.contains(7));
  EXPECT_EQ(changes.hops.size(), 1U);
  EXPECT_TRUE(store_.TakeChanges().origins.empty());
}

}  // namespace
}  // namespace heliograph::server
