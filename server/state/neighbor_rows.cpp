#include "server/state/neighbor_rows.h"

#include "server/state/row_values.h"

namespace heliograph::server {

std::vector<NeighborEdge> ReadNeighborEdges(ReaderConnection& connection) {
  SQLite::Statement& row = connection.Prepared(
      "SELECT a.public_key, b.public_key, e.a_to_b, e.b_to_a, e.first_seen, e.last_seen, e.observers, "
      "e.snr_db "
      "FROM neighbor_edges AS e JOIN identity AS a ON a.key = e.node_a JOIN identity AS b ON b.key = "
      "e.node_b "
      "ORDER BY a.public_key, b.public_key");
  std::vector<NeighborEdge> edges;
  while (row.executeStep()) {
    const auto a = PublicKey::FromBytes(BytesOf(row.getColumn(0)));
    const auto b = PublicKey::FromBytes(BytesOf(row.getColumn(1)));
    if (!a || !b) continue;
    NeighborEdge edge;
    edge.a = *a;
    edge.b = *b;
    edge.a_to_b = row.getColumn(2).getDouble();
    edge.b_to_a = row.getColumn(3).getDouble();
    edge.first_seen = TimeOf(row.getColumn(4));
    edge.last_seen = TimeOf(row.getColumn(5));
    edge.observers = static_cast<std::uint32_t>(row.getColumn(6).getInt64());
    edge.snr_db = RealOf(row.getColumn(7));
    edges.push_back(edge);
  }
  return edges;
}

}  // namespace heliograph::server
