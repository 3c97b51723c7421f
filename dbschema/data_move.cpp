#include "dbschema/data_move.h"

#include <algorithm>
#include <optional>

#include "common/time.h"

namespace heliograph::dbschema {
namespace {

struct Pending {
  const DataMove* move;
  std::int64_t cursor;
};

std::optional<Pending> NextPending(SQLite::Database& database, std::span<const DataMove> moves) {
  SQLite::Statement rows(
      database, "SELECT name, cursor FROM data_move WHERE state IN ('pending','running') ORDER BY name");
  while (rows.executeStep()) {
    const std::string name = rows.getColumn(0).getString();
    const auto found =
        std::find_if(moves.begin(), moves.end(), [&](const DataMove& move) { return move.name == name; });
    if (found != moves.end()) return Pending{&*found, rows.getColumn(1).getInt64()};
  }
  return std::nullopt;
}

std::int64_t NowMs() {
  return WallClockNow().time_since_epoch().count();
}

void RunChunk(SQLite::Database& database, const Pending& pending) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const MoveProgress progress = pending.move->step(database, pending.cursor);
  SQLite::Statement record(database,
                           "UPDATE data_move SET state=?, cursor=?, moved_rows=moved_rows+?, error=NULL, "
                           "updated_at=? WHERE name=?");
  record.bind(1, progress.done ? "done" : "running");
  record.bind(2, progress.cursor);
  record.bind(3, progress.moved_rows);
  record.bind(4, NowMs());
  record.bind(5, pending.move->name);
  record.exec();
  transaction.commit();
}

void RecordFailure(SQLite::Database& database, const std::string& name, const std::string& reason) {
  SQLite::Statement record(database,
                           "UPDATE data_move SET state='failed', error=?, updated_at=? WHERE name=?");
  record.bind(1, reason);
  record.bind(2, NowMs());
  record.bind(3, name);
  record.exec();
}

}  // namespace

std::span<const DataMove> ReleasedDataMoves() {
  return {};
}

MoveOutcome RunDataMoves(SQLite::Database& database, std::span<const DataMove> moves,
                         std::chrono::milliseconds budget) {
  const auto deadline = std::chrono::steady_clock::now() + budget;
  while (const auto pending = NextPending(database, moves)) {
    try {
      RunChunk(database, *pending);
    } catch (const std::exception& error) {
      RecordFailure(database, pending->move->name, error.what());
      return MoveOutcome::kFailed;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return NextPending(database, moves) ? MoveOutcome::kMoreToDo : MoveOutcome::kNothingToDo;
    }
  }
  return MoveOutcome::kNothingToDo;
}

void ReopenFailedMoves(SQLite::Database& database) {
  database.exec("UPDATE data_move SET state='pending' WHERE state='failed'");
}

}  // namespace heliograph::dbschema
