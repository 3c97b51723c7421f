#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/neighbor_snapshot.h"
#include "ingestor/apply/queue_applier.h"
#include "ingestor/preparer.h"
#include "queue/publisher.h"
#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {
namespace {

using ::testing::HasSubstr;

/// A volume with three nodes, a server that publishes who hears whom, and the applier.
class NeighborApplierTest : public StoreTest {
 protected:
  NeighborApplierTest()
      : volume_(folder_.path()),
        publisher_(std::move(*queue::Publisher::Open(volume_, "server-boot"))),
        inbox_(std::move(*queue::Inbox::Open(volume_))),
        applier_(*store_, inbox_, {std::nullopt, "ingestor-boot", [this](const Receipt& receipt) {
                                     return preparer_.Prepare(receipt);
                                   }}) {
    Store(HeardAdvert(0xA0, "Hill", 100), HeardAdvert(0xA1, "Dale", 100), HeardAdvert(0xA2, "Moor", 100));
  }

  /// An edge between each two of 110 nodes, whom the mesh then knows.
  std::vector<NeighborEdge> EdgesOfManyNodes() {
    constexpr int kNodes = 110;
    StoreTransaction transaction(*store_);
    for (int node = 0; node < kNodes; ++node)
      store_->Take(Prepared(HeardAdvert(static_cast<std::uint8_t>(node), "node", 100)));
    transaction.Commit();
    std::vector<NeighborEdge> edges;
    for (int a = 0; a < kNodes; ++a)
      for (int b = a + 1; b < kNodes; ++b)
        edges.push_back(Edge(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), 3));
    return edges;
  }

  static NeighborEdge Edge(std::uint8_t a, std::uint8_t b, double count) {
    return {KeyOf(a), KeyOf(b), count, 0, kNoon, kNoon, 2, 4.5};
  }

  std::string PublishText(const std::string& payload, std::int64_t watermark_offset = 0,
                          std::int64_t branch = 1) {
    queue::EnvelopeFields fields;
    fields.kind = queue::Kind::kNeighborSnapshot;
    fields.stream = "neighbors";
    fields.epoch = store_->epoch();
    fields.branch_id = branch;
    fields.watermark = store_->packets().watermark() + watermark_offset;
    fields.actor = "test";
    fields.created_at = WallClockNow();
    return publisher_->Publish(fields, payload)->id.ToText();
  }
  std::string Publish(std::vector<NeighborEdge> edges) {
    return PublishText(EncodeNeighborSnapshot({std::move(edges)}));
  }
  std::string Apply(std::vector<NeighborEdge> edges) {
    const std::string id = Publish(std::move(edges));
    applier_.Run();
    return id;
  }
  std::string OutcomeOf(const std::string& id) {
    return Text("SELECT outcome FROM ledger WHERE id='" + id + "'");
  }
  std::string ReasonOf(const std::string& id) {
    return Text("SELECT reason FROM ledger WHERE id='" + id + "'");
  }

  Volume volume_;
  Preparer preparer_{Preparer::Settings{}};
  std::unique_ptr<queue::Publisher> publisher_;
  queue::Inbox inbox_;
  QueueApplier applier_;
};

TEST_F(NeighborApplierTest, StoresTheEdgesBetweenKnownNodes) {
  const std::string id = Apply({Edge(0xA0, 0xA1, 3.5), Edge(0xA0, 0xDD, 1)});
  EXPECT_EQ(OutcomeOf(id), "done");
  EXPECT_THAT(ReasonOf(id), HasSubstr("1 edges new"));
  EXPECT_THAT(ReasonOf(id), HasSubstr("1 name a node that was never met"));
  EXPECT_EQ(Count("neighbor_edges"), 1);
  EXPECT_EQ(Text("SELECT a_to_b || ' ' || observers || ' ' || snr_db FROM neighbor_edges"), "3.5 2 4.5");
  EXPECT_EQ(Text("SELECT a.name || b.name FROM neighbor_edges JOIN nodes AS a ON a.node_key = node_a"
                 " JOIN nodes AS b ON b.node_key = node_b"),
            "HillDale");
}

TEST_F(NeighborApplierTest, ReplacesWhatChangedAndRemovesWhatIsGone) {
  Apply({Edge(0xA0, 0xA1, 3), Edge(0xA0, 0xA2, 5)});
  const std::string id = Apply({Edge(0xA0, 0xA1, 4), Edge(0xA1, 0xA2, 7)});
  EXPECT_THAT(ReasonOf(id), HasSubstr("1 edges new, 1 changed, 1 gone"));
  EXPECT_EQ(Text("SELECT group_concat(a_to_b) FROM (SELECT a_to_b FROM neighbor_edges ORDER BY a_to_b)"),
            "4.0,7.0");
}

TEST_F(NeighborApplierTest, FindsNothingNewInTheSameStateAgain) {
  Apply({Edge(0xA0, 0xA1, 3)});
  EXPECT_EQ(OutcomeOf(Apply({Edge(0xA0, 0xA1, 3)})), "noop");
}

TEST_F(NeighborApplierTest, WritesNoCommit) {
  const std::string before = Text("SELECT head_seq FROM branch WHERE branch_id=1");
  Apply({Edge(0xA0, 0xA1, 3)});
  EXPECT_EQ(Text("SELECT head_seq FROM branch WHERE branch_id=1"), before);
  EXPECT_EQ(Count("change_log WHERE kind LIKE '%neighbor%'"), 0);
}

TEST_F(NeighborApplierTest, LetsTheNewestOfSeveralWaitingStatesWin) {
  const std::string first = Publish({Edge(0xA0, 0xA1, 3)});
  const std::string second = Publish({Edge(0xA0, 0xA1, 4)});
  applier_.Run();
  EXPECT_EQ(OutcomeOf(first), "superseded");
  EXPECT_EQ(OutcomeOf(second), "done");
}

TEST_F(NeighborApplierTest, RefusesAStateThatIsOlderThanTheStoredOne) {
  Apply({Edge(0xA0, 0xA1, 3)});
  const std::string id = PublishText(EncodeNeighborSnapshot({{Edge(0xA0, 0xA1, 2)}}), -1);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "stale");
  EXPECT_EQ(Text("SELECT a_to_b FROM neighbor_edges"), "3.0");
}

TEST_F(NeighborApplierTest, SetsAPayloadAsideThatMakesNoSenseAndLetsItSupersedeNothing) {
  const std::string good = Publish({Edge(0xA0, 0xA1, 3)});
  const std::string bad = PublishText(R"({"nodes":[],"edges":[[0,1]]})");
  applier_.Run();
  EXPECT_EQ(OutcomeOf(good), "done");
  EXPECT_EQ(OutcomeOf(bad), "rejected");
  EXPECT_THAT(ReasonOf(bad), HasSubstr("edge 0"));
}

TEST_F(NeighborApplierTest, RefusesABranch) {
  const std::string id = PublishText(EncodeNeighborSnapshot({}), 0, 2);
  applier_.Run();
  EXPECT_EQ(OutcomeOf(id), "rejected");
}

TEST_F(NeighborApplierTest, ManyEdgesComeInPieces) {
  const auto edges = EdgesOfManyNodes();
  const std::string id = Publish(edges);
  EXPECT_TRUE(applier_.Run().unfinished);
  EXPECT_EQ(Count("neighbor_edges"), 4000);
  EXPECT_EQ(Count("ledger"), 0);
  EXPECT_FALSE(applier_.Run().unfinished);
  EXPECT_EQ(Count("neighbor_edges"), static_cast<std::int64_t>(edges.size()));
  EXPECT_EQ(ReasonOf(id), std::to_string(edges.size()) + " edges new, 0 changed, 0 gone");
}

TEST_F(NeighborApplierTest, AProcessThatDiedBetweenPiecesLeavesTheRestToTheNext) {
  const auto edges = EdgesOfManyNodes();
  const std::string id = Publish(edges);
  ASSERT_TRUE(applier_.Run().unfinished);
  QueueApplier next(*store_, inbox_, {std::nullopt, "another-boot", [this](const Receipt& receipt) {
                                        return preparer_.Prepare(receipt);
                                      }});
  while (next.Run().unfinished) {
  }
  EXPECT_EQ(OutcomeOf(id), "done");
  EXPECT_EQ(Count("neighbor_edges"), static_cast<std::int64_t>(edges.size()));
}

}  // namespace
}  // namespace heliograph::ingestor
