#include "ingestor/store/node_store.h"

#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using NodeStoreTest = StoreTest;

TEST_F(NodeStoreTest, MakesANodeFromItsAdvertAlone) {
  Store(HeardPacket(1, 0x01, 3));
  EXPECT_EQ(Count("nodes"), 0);
  Store(HeardAdvert(0xA0, "Hill", 100));
  EXPECT_EQ(Text("SELECT public_key FROM nodes"), KeyOf(0xA0).ToHex());
  EXPECT_EQ(Text("SELECT name || role || advert_count FROM nodes"), "Hillrepeater1");
}

TEST_F(NodeStoreTest, CountsAdvertsAndNotTheirReceptions) {
  auto again = HeardAdvert(0xA0, "Hill", 100);
  again.observer.key = KeyOf(0xEF);
  Store(HeardAdvert(0xA0, "Hill", 100), again, HeardAdvert(0xA0, "Hill", 101));
  EXPECT_EQ(Text("SELECT advert_count FROM nodes"), "2");
}

TEST_F(NodeStoreTest, IgnoresTheNameInAReplayedAdvert) {
  Store(HeardAdvert(0xA0, "New", 200), HeardAdvert(0xA0, "Old", 100, kNoon + seconds(60)));
  EXPECT_EQ(Text("SELECT name FROM nodes"), "New");
}

TEST_F(NodeStoreTest, BelievesANodeAgainWhoseClockOnceStoodInTheFuture) {
  Store(HeardAdvert(0xA0, "Dream", 4'000'000'000U),
        HeardAdvert(0xA0, "Awake", 1'750'000'000U, kNoon + seconds(60)));
  EXPECT_EQ(Text("SELECT name FROM nodes"), "Awake");
}

TEST_F(NodeStoreTest, KeepsANameThatAnAdvertLeavesOut) {
  Store(HeardAdvert(0xA0, "Hill", 100), HeardAdvert(0xA0, "", 200));
  EXPECT_EQ(Text("SELECT name FROM nodes"), "Hill");
}

TEST_F(NodeStoreTest, ClearsTheForeignMarkWhenTheNodeComesInside) {
  auto outside = HeardAdvert(0xA0, "Hill", 100), inside = HeardAdvert(0xA0, "Hill", 200);
  outside.advert->latitude = inside.advert->latitude = 1;
  outside.advert->longitude = inside.advert->longitude = 2;
  outside.outside_geo_filter = true;
  Store(outside);
  EXPECT_EQ(Text("SELECT foreign_advert FROM nodes"), "1");
  Store(inside);
  EXPECT_EQ(Text("SELECT foreign_advert FROM nodes"), "0");
}

TEST_F(NodeStoreTest, BringsAnInactiveNodeBackWithAllThatWasKnown) {
  Store(HeardAdvert(0xA0, "Hill", 100), HeardAdvert(0xA1, "Dale", 100, kNoon + hours(100)));
  const IdentityKey hill = *store_->identities().Find(KeyOf(0xA0));
  {
    StoreTransaction transaction(*store_);
    store_->nodes().SetCapability(hill, CapabilityStatus::kConfirmed, CapabilityEvidence::kAdvert);
    EXPECT_EQ(store_->nodes().Retire(kNoon + hours(1), 10), 1U);
    transaction.Commit();
  }
  EXPECT_EQ(Text("SELECT multibyte_sup || multibyte_evidence FROM inactive_nodes"), "2advert");
  Store(HeardAdvert(0xA0, "Hill", 300, kNoon + hours(101)));
  EXPECT_EQ(Count("inactive_nodes"), 0);
  EXPECT_EQ(Text("SELECT multibyte_sup || multibyte_evidence || advert_count FROM nodes WHERE name='Hill'"),
            "2advert2");
  EXPECT_EQ(Text("SELECT first_seen FROM nodes WHERE name='Hill'"),
            std::to_string(kNoon.time_since_epoch().count()));
}

TEST_F(NodeStoreTest, LeavesATraceOfARemovedNodeUntilItReturns) {
  Store(HeardAdvert(0xA0, "Hill", 100));
  {
    StoreTransaction transaction(*store_);
    EXPECT_TRUE(store_->nodes().Remove(*store_->identities().Find(KeyOf(0xA0)), "test", kNoon, std::nullopt));
    EXPECT_FALSE(
        store_->nodes().Remove(*store_->identities().Find(KeyOf(0xA0)), "test", kNoon, std::nullopt));
    transaction.Commit();
  }
  EXPECT_EQ(Count("nodes"), 0);
  EXPECT_EQ(Count("removed_nodes"), 1);
  Store(HeardAdvert(0xA0, "Hill", 200));
  EXPECT_EQ(Count("removed_nodes"), 0);
}

TEST_F(NodeStoreTest, RaisesTheRevisionOfWhatChanged) {
  Store(HeardAdvert(0xA0, "Hill", 100), HeardAdvert(0xA1, "Dale", 100));
  const std::string before = Text("SELECT revision FROM nodes WHERE name='Dale'");
  Store(HeardAdvert(0xA0, "Hill", 200));
  EXPECT_EQ(Count("nodes WHERE revision > " + before), 1);
}

}  // namespace
}  // namespace heliograph::ingestor
