#include "server/analytics/neighbors/neighbor_analysis.h"

#include <utility>

#include "server/state/neighbor_rows.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;

}  // namespace

NeighborAnalysis::NeighborAnalysis(Collect collect, DataTime data_time, queue::Publisher& publisher,
                                   ReaderPool& readers, NeighborBoard& board, bool supersede_pending)
    : collect_(std::move(collect)),
      data_time_(std::move(data_time)),
      readers_(readers),
      board_(board),
      stream_({queue::Kind::kNeighborSnapshot, kNeighborStream, "neighbor snapshot", supersede_pending},
              publisher, readers) {}

StreamReport NeighborAnalysis::Run(std::stop_token stop) {
  auto graph = collect_();
  if (!graph) return ShowStored(std::move(stop));
  const auto shown = board_.Current();
  // Where nothing happened, what holds the mesh together need not be found again, and answers stay valid.
  if (!shown || shown->from_database || !shown->graph.SaysTheSame(*graph)) {
    auto view = MakeNeighborView(*graph, false, std::move(stop));
    if (!view) return PlainReport(Result::kNotComplete, "stopped before it was done");
    board_.Show(std::move(*view));
  }
  StreamReport report = Publish(*graph);
  report.watermark = graph->watermark;
  return report;
}

StreamReport NeighborAnalysis::ShowStored(std::stop_token stop) {
  if (!board_.Current()) {
    NeighborGraph stored;
    stored.edges = readers_.Read([](ReaderConnection& connection) { return ReadNeighborEdges(connection); });
    stored.data_time = data_time_();
    if (auto view = MakeNeighborView(std::move(stored), true, std::move(stop))) board_.Show(std::move(*view));
  }
  return PlainReport(Result::kNotComplete, "the packets have not all been read yet");
}

StreamReport NeighborAnalysis::Publish(const NeighborGraph& graph) {
  stream_.Settle(graph.epoch);
  const auto stored =
      readers_.Read([](ReaderConnection& connection) { return ReadNeighborEdges(connection); });
  const NeighborSnapshot snapshot = MergeForStorage(stored, graph.edges);
  if (snapshot.edges == stored) return PlainReport(Result::kUnchanged, "nothing changed");
  return stream_.Offer({graph.epoch, graph.watermark, graph.head_seq},
                       [&] { return EncodeNeighborSnapshot(snapshot); });
}

}  // namespace heliograph::server
