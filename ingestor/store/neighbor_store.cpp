#include "ingestor/store/neighbor_store.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

NeighborStore::NeighborStore(SQLite::Database& database)
    : put_(database,
           "INSERT OR REPLACE INTO neighbor_edges(node_a, node_b, a_to_b, b_to_a, first_seen, last_seen, "
           "observers,"
           " snr_db) VALUES (?,?,?,?,?,?,?,?)"),
      remove_(database, "DELETE FROM neighbor_edges WHERE node_a=? AND node_b=?"),
      database_(database) {}

std::map<NeighborStore::Ends, NeighborEdge> NeighborStore::All() {
  SQLite::Statement rows(database_,
                         "SELECT node_a, node_b, a_to_b, b_to_a, first_seen, last_seen, observers, snr_db"
                         " FROM neighbor_edges ORDER BY node_a, node_b");
  std::map<Ends, NeighborEdge> edges;
  while (rows.executeStep()) {
    NeighborEdge edge;
    edge.a_to_b = rows.getColumn(2).getDouble();
    edge.b_to_a = rows.getColumn(3).getDouble();
    edge.first_seen = TimeColumn(rows.getColumn(4));
    edge.last_seen = TimeColumn(rows.getColumn(5));
    edge.observers = static_cast<std::uint32_t>(rows.getColumn(6).getInt64());
    edge.snr_db = OptionalReal(rows.getColumn(7));
    const Ends ends{IdentityKey{rows.getColumn(0).getInt64()}, IdentityKey{rows.getColumn(1).getInt64()}};
    edges.emplace_hint(edges.end(), ends, edge);
  }
  return edges;
}

void NeighborStore::Put(Ends ends, const NeighborEdge& edge) {
  RowBinder(put_)
      .Key(ends.first)
      .Key(ends.second)
      .Real(edge.a_to_b)
      .Real(edge.b_to_a)
      .Time(edge.first_seen)
      .Time(edge.last_seen)
      .Integer(static_cast<std::int64_t>(edge.observers))
      .Real(edge.snr_db)
      .Run();
}

void NeighborStore::Remove(Ends ends) {
  RowBinder(remove_).Key(ends.first).Key(ends.second).Run();
}

}  // namespace heliograph::ingestor
