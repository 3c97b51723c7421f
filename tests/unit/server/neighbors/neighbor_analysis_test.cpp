#include "server/analytics/neighbors/neighbor_analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "server/analytics/cycle.h"
#include "server/state/neighbor_rows.h"
#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A volume with three nodes, and a graph that the tests change.
class NeighborAnalysisTest : public ::testing::Test {
 protected:
  NeighborAnalysisTest() {
    for (const int first : {1, 2, 3}) observatory_.AddNode(KeyOf({first}));
    publisher_ = *queue::Publisher::Open(observatory_.volume(), "boot");
    graph_.emplace();
    graph_->epoch = dbschema::ReadMeta(observatory_.database(), "epoch");
    graph_->watermark = 5;
    graph_->data_time = At(0);
    graph_->edges = {Edge(1, 2, 50), Edge(2, 3, 7)};
  }

  static NeighborEdge Edge(int a, int b, double count) {
    return {KeyOf({a}), KeyOf({b}), count, 0, At(0), At(0), 2, 3.5};
  }
  NeighborAnalysis Analysis() {
    return NeighborAnalysis([this] { return graph_; }, [] { return At(0); }, *publisher_, readers_, board_);
  }
  /// As the ingestor stores what was published.
  void Apply(const StreamReport& report) {
    const auto waiting = publisher_->Outstanding(kNeighborStream);
    const auto payload = publisher_->Read(waiting->front().name);
    observatory_.Run("DELETE FROM neighbor_edges");
    const auto snapshot = DecodeNeighborSnapshot(payload->payload);
    for (const NeighborEdge& edge : snapshot->edges) Store(edge);
    observatory_.Run(
        "INSERT INTO ledger(id, kind, stream, branch_id, producer_seq, applied_at, boot_id, outcome) VALUES "
        "('" +
        report.id->ToText() + "', 'neighbor-snapshot', 'neighbors', 1, 1, 1, 'boot', 'done')");
    std::filesystem::remove(observatory_.volume().queue_new() / waiting->front().name);
  }
  void Store(const NeighborEdge& edge) {
    observatory_.Run("INSERT INTO neighbor_edges VALUES (" + std::to_string(observatory_.Identity(edge.a)) +
                     ", " + std::to_string(observatory_.Identity(edge.b)) + ", " +
                     std::to_string(edge.a_to_b) + ", " + std::to_string(edge.b_to_a) + ", " +
                     std::to_string(edge.first_seen.time_since_epoch().count()) + ", " +
                     std::to_string(edge.last_seen.time_since_epoch().count()) + ", " +
                     std::to_string(edge.observers) + ", " + std::to_string(*edge.snr_db) + ")");
  }

  Observatory observatory_;
  ReaderPool readers_{observatory_.file()};
  std::unique_ptr<queue::Publisher> publisher_;
  NeighborBoard board_;
  std::optional<NeighborGraph> graph_;
};

TEST_F(NeighborAnalysisTest, ShowsAndPublishesWhatTheDatabaseDoesNotHold) {
  const StreamReport report = Analysis().Run({});
  ASSERT_EQ(report.result, Result::kPublished) << report.text;
  const auto waiting = publisher_->Outstanding(kNeighborStream);
  ASSERT_THAT(*waiting, SizeIs(1));
  EXPECT_EQ(waiting->front().envelope.kind, queue::Kind::kNeighborSnapshot);
  EXPECT_EQ(waiting->front().envelope.watermark, 5);
  EXPECT_EQ(DecodeNeighborSnapshot(publisher_->Read(waiting->front().name)->payload)->edges, graph_->edges);
  ASSERT_TRUE(board_.Current());
  EXPECT_FALSE(board_.Current()->from_database);
  EXPECT_THAT(board_.Current()->critical.cuts.bridges, SizeIs(2));
}

TEST_F(NeighborAnalysisTest, PublishesNothingWhenTheDatabaseHoldsItAll) {
  NeighborAnalysis analysis = Analysis();
  Apply(analysis.Run({}));
  EXPECT_EQ(analysis.Run({}).result, Result::kUnchanged);
  graph_->edges[0].a_to_b = 51;
  EXPECT_EQ(analysis.Run({}).result, Result::kUnchanged);
  graph_->edges[0].a_to_b = 80;
  EXPECT_EQ(analysis.Run({}).result, Result::kPublished);
}

TEST_F(NeighborAnalysisTest, WhereNothingHappenedTheViewStaysAsItIs) {
  NeighborAnalysis analysis = Analysis();
  analysis.Run({});
  const auto view = board_.Current();
  graph_->head_seq += 1;  // a commit that says nothing of the mesh
  analysis.Run({});
  EXPECT_EQ(board_.Current(), view);
  graph_->watermark += 1;
  graph_->data_time = At(1000);
  analysis.Run({});
  EXPECT_EQ(board_.Current()->generation, view->generation + 1);
}

TEST_F(NeighborAnalysisTest, AnEdgeThatIsGoneIsNews) {
  NeighborAnalysis analysis = Analysis();
  Apply(analysis.Run({}));
  graph_->edges.pop_back();
  EXPECT_EQ(analysis.Run({}).result, Result::kPublished);
}

TEST_F(NeighborAnalysisTest, LeavesOneFileWaitingAtMost) {
  NeighborAnalysis analysis = Analysis();
  analysis.Run({});
  graph_->edges[0].a_to_b = 80;
  EXPECT_EQ(analysis.Run({}).result, Result::kPending);
  EXPECT_THAT(*publisher_->Outstanding(kNeighborStream), SizeIs(1));
  EXPECT_EQ(board_.Current()->graph.edges[0].a_to_b, 80);
}

TEST_F(NeighborAnalysisTest, ShowsTheStoredEdgesUntilThePacketsAreRead) {
  Store(Edge(1, 3, 12));
  graph_.reset();
  EXPECT_EQ(Analysis().Run({}).result, Result::kNotComplete);
  ASSERT_TRUE(board_.Current());
  EXPECT_TRUE(board_.Current()->from_database);
  EXPECT_THAT(board_.Current()->graph.edges, ::testing::ElementsAre(Edge(1, 3, 12)));
}

TEST_F(NeighborAnalysisTest, RunsAsAPartOfTheCycle) {
  AnalyticsCycle cycle([] { return std::optional<CapabilityAssessment>(); }, *publisher_, readers_, {});
  NeighborAnalysis analysis = Analysis();
  cycle.Add(kNeighborStream, [&](std::stop_token stop) { return analysis.Run(stop); });
  EXPECT_EQ(cycle.RunOnce().result, Result::kNotComplete);
  EXPECT_EQ(cycle.LatestOf(kNeighborStream).result, Result::kPublished);
  EXPECT_TRUE(cycle.LatestOf(kNeighborStream).ended_at);
}

TEST_F(NeighborAnalysisTest, APartThatThrowsFailsAlone) {
  AnalyticsCycle cycle([] { return std::optional<CapabilityAssessment>(); }, *publisher_, readers_, {});
  NeighborAnalysis analysis = Analysis();
  cycle.Add("broken", [](std::stop_token) -> StreamReport { throw std::runtime_error("out of luck"); });
  cycle.Add(kNeighborStream, [&](std::stop_token stop) { return analysis.Run(stop); });
  cycle.RunOnce();
  EXPECT_EQ(cycle.LatestOf("broken").result, Result::kFailed);
  EXPECT_THAT(cycle.LatestOf("broken").text, HasSubstr("out of luck"));
  EXPECT_EQ(cycle.LatestOf(kNeighborStream).result, Result::kPublished);
}

}  // namespace
}  // namespace heliograph::server
