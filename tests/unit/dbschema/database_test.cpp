#include "dbschema/database.h"

#include <gtest/gtest.h>

#include "dbschema/migrate.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::dbschema {
namespace {

using heliograph::testing::TemporaryFolder;

TEST(OpenForWriting, DecidesVacuumAndJournalBeforeTheFirstTable) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database);
  constexpr int kIncremental = 2;
  EXPECT_EQ(database.execAndGet("PRAGMA auto_vacuum").getInt(), kIncremental);
  EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "wal");
}

TEST(OpenForWriting, LeavesTheWalFilesForReadersAfterItCloses) {
  TemporaryFolder folder;
  {
    auto database = OpenForWriting(folder / "h.db");
    Migrate(database);
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "h.db-wal"));
  EXPECT_TRUE(std::filesystem::exists(folder / "h.db-shm"));
}

TEST(OpenForReading, CannotWrite) {
  TemporaryFolder folder;
  auto writer = OpenForWriting(folder / "h.db");
  Migrate(writer);
  auto reader = OpenForReading(folder / "h.db");
  EXPECT_THROW(reader.exec("INSERT INTO meta VALUES ('a','b')"), SQLite::Exception);
  EXPECT_THROW(reader.exec("CREATE TABLE t(x)"), SQLite::Exception);
}

TEST(OpenForReading, MakesNoFile) {
  TemporaryFolder folder;
  EXPECT_THROW(OpenForReading(folder / "h.db"), SQLite::Exception);
  EXPECT_FALSE(std::filesystem::exists(folder / "h.db"));
}

TEST(OpenForWriting, WaitsForTheDiskAtEachCommit) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  constexpr int kFull = 2;
  EXPECT_EQ(database.execAndGet("PRAGMA synchronous").getInt(), kFull);
}

TEST(OpenForWriting, TouchesNothingOfAForeignDatabase) {
  TemporaryFolder folder;
  {
    SQLite::Database foreign((folder / "h.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    foreign.exec("CREATE TABLE t(x)");
  }
  EXPECT_THROW(OpenForWriting(folder / "h.db"), ForeignDatabase);
  SQLite::Database foreign((folder / "h.db").string());
  EXPECT_EQ(foreign.execAndGet("PRAGMA journal_mode").getString(), "delete");
}

TEST(Identity, IsNeverDeleted) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database);
  database.exec("INSERT INTO identity(public_key) VALUES (zeroblob(32))");
  EXPECT_THROW(database.exec("DELETE FROM identity"), SQLite::Exception);
}

}  // namespace
}  // namespace heliograph::dbschema
