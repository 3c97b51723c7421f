#include "dbschema/migrate.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "dbschema/readiness.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::dbschema {
namespace {

using heliograph::testing::TemporaryFolder;

constexpr Migration kFirst{1, "first", "CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES (1);"};
constexpr Migration kSecond{2, "second", "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;"};
constexpr Migration kBroken{2, "second", "CREATE TABLE b(x INTEGER); INSERT INTO missing VALUES (1);"};

TEST(Migrate, BringsAnEmptyFileToTheNewestVersion) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  const auto report = Migrate(database);
  EXPECT_EQ(report.from, 0);
  EXPECT_EQ(report.to, NewestVersion(ReleasedMigrations()));
  EXPECT_TRUE(AssessReadiness(database).ready());
}

TEST(Migrate, ChangesNothingWhenRunAgain) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database);
  const std::string epoch = ReadMeta(database, "epoch");
  const auto report = Migrate(database);
  EXPECT_EQ(report.from, report.to);
  EXPECT_EQ(ReadMeta(database, "epoch"), epoch);
}

TEST(Migrate, UpgradesFromEveryReleasedVersionToTheSameSchema) {
  const auto released = ReleasedMigrations();
  for (std::size_t version = 1; version <= released.size(); ++version) {
    TemporaryFolder folder;
    auto database = OpenForWriting(folder / "h.db");
    Migrate(database, released.first(version));
    Migrate(database);
    EXPECT_TRUE(AssessReadiness(database).ready()) << "from version " << version;
  }
}

TEST(Migrate, AddsReadinessToTheHistoryThatVersionOneHas) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database, ReleasedMigrations().first(1));
  database.exec("INSERT INTO identity(key, public_key) VALUES (7, randomblob(32))");
  database.exec(
      "INSERT INTO node_capability(branch_id, node_key, from_seq, status, adopted, likely_legacy) VALUES "
      "(1, 7, 1, 0, 0, 0)");
  Migrate(database);
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM node_capability").getInt(), 1);
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM switch_readiness").getInt(), 0);
}

TEST(Migrate, NumbersStepsFromOneWithoutGaps) {
  int expected = 1;
  for (const Migration& migration : ReleasedMigrations()) EXPECT_EQ(migration.number, expected++);
}

TEST(Migrate, KeepsDataThroughASecondStep) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database, std::array{kFirst});
  Migrate(database, std::array{kFirst, kSecond});
  EXPECT_EQ(database.execAndGet("SELECT y FROM a").getInt(), 2);
}

TEST(Migrate, LeavesTheDatabaseAsItWasWhenAStepFails) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database, std::array{kFirst});
  EXPECT_THROW(Migrate(database, std::array{kFirst, kBroken}), MigrationFailed);
  EXPECT_FALSE(database.tableExists("b"));
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_EQ(Migrate(database, std::array{kFirst, kSecond}).to, 2);
}

TEST(Migrate, RefusesAStepWhoseTextHasChanged) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database, std::array{kFirst});
  constexpr Migration kChanged{1, "first", "CREATE TABLE a(z INTEGER) STRICT;"};
  EXPECT_THROW(Migrate(database, std::array{kChanged}), MigrationFailed);
}

TEST(Migrate, RefusesANewerDatabase) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database, std::array{kFirst, kSecond});
  EXPECT_THROW(Migrate(database, std::array{kFirst}), ForeignDatabase);
}

TEST(Migrate, RefusesTheDatabaseOfAnotherProgram) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  database.exec("CREATE TABLE nodes(public_key TEXT)");
  EXPECT_THROW(Migrate(database), ForeignDatabase);
  EXPECT_FALSE(database.tableExists("schema_migration"));
}

}  // namespace
}  // namespace heliograph::dbschema
