#include "dbschema/data_move.h"

#include <gtest/gtest.h>

#include <array>

#include "dbschema/migrate.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::dbschema {
namespace {

using heliograph::testing::TemporaryFolder;
using std::chrono::milliseconds;

constexpr int kRows = 1000;
constexpr milliseconds kAmple{60'000};

/// A database with 1 000 rows that the move `double` has to change.
class DataMoveTest : public ::testing::Test {
 protected:
  DataMoveTest() : database_(OpenForWriting(folder_ / "h.db")) {
    Migrate(database_);
    database_.exec("CREATE TABLE number(id INTEGER PRIMARY KEY, value INTEGER)");
    database_.exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000) "
        "INSERT INTO number SELECT i, i FROM n");
    database_.exec("INSERT INTO data_move(name, state, updated_at) VALUES ('double', 'pending', 0)");
  }

  static MoveProgress DoubleHundred(SQLite::Database& database, std::int64_t cursor) {
    SQLite::Statement update(database, "UPDATE number SET value = 2 * value WHERE id > ? AND id <= ?");
    update.bind(1, cursor);
    update.bind(2, cursor + 100);
    const int changed = update.exec();
    return {cursor + 100, changed, cursor + 100 >= kRows};
  }

  std::int64_t Sum() { return database_.execAndGet("SELECT sum(value) FROM number").getInt64(); }
  std::string State() { return database_.execAndGet("SELECT state FROM data_move").getString(); }

  TemporaryFolder folder_;
  SQLite::Database database_;
  const std::array<DataMove, 1> moves_{DataMove{"double", DoubleHundred}};
};

TEST_F(DataMoveTest, ChangesEveryRowOnce) {
  EXPECT_EQ(RunDataMoves(database_, moves_, kAmple), MoveOutcome::kNothingToDo);
  EXPECT_EQ(Sum(), 2 * 500'500);
  EXPECT_EQ(State(), "done");
}

TEST_F(DataMoveTest, StopsAfterTheChunkThatSpendsTheBudgetAndGoesOnThere) {
  EXPECT_EQ(RunDataMoves(database_, moves_, milliseconds(0)), MoveOutcome::kMoreToDo);
  EXPECT_EQ(database_.execAndGet("SELECT cursor FROM data_move").getInt64(), 100);
  RunDataMoves(database_, moves_, kAmple);
  EXPECT_EQ(Sum(), 2 * 500'500);
}

TEST_F(DataMoveTest, RecordsAFailureAndTriesAgainWhenReopened) {
  const std::array<DataMove, 1> broken{
      DataMove{"double",
               [](SQLite::Database&, std::int64_t) -> MoveProgress { throw std::runtime_error("no luck"); }}};
  EXPECT_EQ(RunDataMoves(database_, broken, kAmple), MoveOutcome::kFailed);
  EXPECT_EQ(database_.execAndGet("SELECT error FROM data_move").getString(), "no luck");
  EXPECT_EQ(RunDataMoves(database_, moves_, kAmple), MoveOutcome::kNothingToDo);
  EXPECT_EQ(State(), "failed");
  ReopenFailedMoves(database_);
  RunDataMoves(database_, moves_, kAmple);
  EXPECT_EQ(Sum(), 2 * 500'500);
}

TEST_F(DataMoveTest, LeavesAMoveAloneThatItDoesNotKnow) {
  EXPECT_EQ(RunDataMoves(database_, {}, kAmple), MoveOutcome::kNothingToDo);
  EXPECT_EQ(State(), "pending");
}

}  // namespace
}  // namespace heliograph::dbschema
