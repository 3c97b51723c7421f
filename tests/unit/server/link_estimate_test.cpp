#include "server/analytics/link_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace heliograph::server {
namespace {

using ::testing::Gt;
using ::testing::Lt;

HeardSender Relay(double one_byte, double multibyte = 0) {
  HeardSender sender;
  sender.relayed = {one_byte, multibyte};
  sender.relays = true;
  return sender;
}

HeardSender Companion(double adverts) {
  HeardSender sender;
  sender.originated = {adverts, 0};
  return sender;
}

double LinkOf(const std::vector<RelayLink>& links, GraphNode from, GraphNode to) {
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&](const RelayLink& link) { return link.from == from && link.to == to; });
  return found == links.end() ? 0 : found->probability;
}

TEST(LinkEstimate, TakesTheShareThatAnObserverReports) {
  const auto links = EstimateLinks({Relay(100), Companion(0)}, {
                                                                   {0, 1, {}, {60, 0}},
                                                               });
  EXPECT_THAT(LinkOf(links, 0, 1), Gt(0.35));
  EXPECT_THAT(LinkOf(links, 0, 1), Lt(0.65));
}

TEST(LinkEstimate, CountsSendingsThatNobodySaw) {
  // Two observers report 50 of the same 70 each, 30 of them together: some 83 were sent.
  const std::vector<HeardSender> senders{Relay(70), Companion(0), Companion(0)};
  const auto links = EstimateLinks(senders, {{0, 1, {}, {50, 0}}, {0, 2, {}, {50, 0}}});
  EXPECT_NEAR(LinkOf(links, 0, 1), 50 / 83.3, 0.02);
}

TEST(LinkEstimate, KnowsThatALinkWhichWinsFewFloodsMayBeGood) {
  const auto links = EstimateLinks({Relay(1000), Relay(1000)}, {{0, 1, {30, 0}, {}}, {1, 0, {30, 0}, {}}});
  EXPECT_THAT(LinkOf(links, 0, 1), Gt(0.6));
}

TEST(LinkEstimate, BelievesALinkLessThatIsSeenOneWay) {
  const std::vector<HeardSender> senders{Relay(1000), Relay(1000)};
  const auto both = EstimateLinks(senders, {{0, 1, {200, 0}, {}}, {1, 0, {200, 0}, {}}});
  const auto one = EstimateLinks(senders, {{0, 1, {200, 0}, {}}});
  EXPECT_THAT(LinkOf(one, 0, 1), Lt(LinkOf(both, 0, 1)));
}

TEST(LinkEstimate, DoubtsNeighboursThatLargerHashesNeverShow) {
  const std::vector<HeardSender> senders{Relay(1000, 500), Relay(1000, 500)};
  const auto shown = EstimateLinks(senders, {{0, 1, {60, 30}, {}}, {1, 0, {60, 30}, {}}});
  const auto hidden = EstimateLinks(senders, {{0, 1, {90, 0}, {}}, {1, 0, {90, 0}, {}}});
  EXPECT_THAT(LinkOf(shown, 0, 1), Gt(0.7));
  EXPECT_EQ(LinkOf(hidden, 0, 1), 0);
}

TEST(LinkEstimate, LetsACompanionReceiveFromWhoeverReceivesIt) {
  const auto links = EstimateLinks({Companion(4), Relay(100)}, {{0, 1, {4, 0}, {}}});
  EXPECT_THAT(LinkOf(links, 0, 1), Gt(0.7));
  EXPECT_EQ(LinkOf(links, 1, 0), LinkOf(links, 0, 1));
}

TEST(LinkEstimate, FindsRelaysNearACompanionOfWhichNothingWasSeen) {
  std::vector<HeardSender> senders{Companion(4), Relay(100), Relay(100), Relay(100)};
  senders[0].position = GeoPoint{37.0, -122.0};
  senders[1].position = GeoPoint{37.04, -122.0};
  senders[2].position = GeoPoint{37.01, -122.0};  // nearer than the one that was seen
  senders[3].position = GeoPoint{37.5, -122.0};
  const auto links = EstimateLinks(senders, {{0, 1, {3, 0}, {}}});
  EXPECT_THAT(LinkOf(links, 2, 0), Gt(0.5));
  EXPECT_EQ(LinkOf(links, 3, 0), 0);
}

TEST(LinkEstimate, MeasuresLengthsByTheMeshItself) {
  std::vector<HeardSender> senders{Relay(1000), Relay(1000), Relay(1000)};
  senders[0].position = GeoPoint{37.0, -122.0};
  senders[1].position = GeoPoint{37.1, -122.0};
  senders[2].position = GeoPoint{39.0, -122.0};
  const auto links = EstimateLinks(
      senders, {{0, 1, {50, 0}, {}}, {0, 2, {15, 0}, {}}, {1, 0, {50, 0}, {}}, {2, 0, {15, 0}, {}}});
  EXPECT_THAT(LinkOf(links, 0, 1), Gt(0.7));
  EXPECT_THAT(LinkOf(links, 0, 2), Lt(0.4));
}

TEST(LinkEstimate, HasNoLinksWithoutPairs) {
  EXPECT_TRUE(EstimateLinks({Relay(10), Companion(2)}, {}).empty());
}

}  // namespace
}  // namespace heliograph::server
