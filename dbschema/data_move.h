#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "dbschema/database.h"

namespace heliograph::dbschema {

/// What one chunk of a move achieved.
struct MoveProgress {
  std::int64_t cursor = 0;      ///< where the next chunk begins
  std::int64_t moved_rows = 0;  ///< rows that this chunk changed
  bool done = false;
};

/// A long change of data that a migration leaves behind. It runs in chunks between the batches of the ingest,
/// never in front of it. A migration announces it by a row in `data_move` of the same name; the code of a
/// released move is kept.
struct DataMove {
  std::string name;
  /// Does a chunk of a few milliseconds from `cursor` on, inside a transaction of the caller's.
  std::function<MoveProgress(SQLite::Database& database, std::int64_t cursor)> step;
};

/// The moves that this program carries.
std::span<const DataMove> ReleasedDataMoves();

enum class MoveOutcome { kNothingToDo, kMoreToDo, kFailed };

/// Carries on the moves that are pending or running until `budget` is spent, each chunk and its cursor in one
/// transaction, so that a killed process goes on where it was. A chunk that throws marks its move failed with
/// the reason; it is tried again when ReopenFailedMoves has been called (at the next start). A row that no
/// move of this program matches is left alone.
MoveOutcome RunDataMoves(SQLite::Database& database, std::span<const DataMove> moves,
                         std::chrono::milliseconds budget);

/// Makes failed moves pending again.
void ReopenFailedMoves(SQLite::Database& database);

}  // namespace heliograph::dbschema
