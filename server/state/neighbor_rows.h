#pragma once

#include <vector>

#include "common/neighbor_snapshot.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The rows of `neighbor_edges`, ascending by their public keys. Runs in the caller's read transaction;
/// throws SQLite::Exception.
std::vector<NeighborEdge> ReadNeighborEdges(ReaderConnection& connection);

}  // namespace heliograph::server
