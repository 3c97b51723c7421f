#include "dbschema/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "dbschema/migrate.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::dbschema {
namespace {

using heliograph::testing::TemporaryFolder;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A complete database that one statement then damages.
Readiness AfterDamage(const std::string& damage) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  Migrate(database);
  database.exec(damage);
  return AssessReadiness(database);
}

TEST(Readiness, NamesAFileThatIsNotThere) {
  TemporaryFolder folder;
  EXPECT_THAT(AssessReadiness(folder / "h.db").missing, ElementsAre(HasSubstr("h.db")));
}

TEST(Readiness, ListsEverythingThatAnEmptyDatabaseLacks) {
  TemporaryFolder folder;
  auto database = OpenForWriting(folder / "h.db");
  const auto readiness = AssessReadiness(database);
  EXPECT_FALSE(readiness.ready());
  EXPECT_THAT(readiness.missing, Contains("table nodes"));
  EXPECT_THAT(readiness.missing, Contains("column observations.path_len"));
}

TEST(Readiness, FindsAMissingTable) {
  EXPECT_THAT(AfterDamage("DROP TABLE dropped_packets").missing, Contains("table dropped_packets"));
}

TEST(Readiness, FindsAMissingColumn) {
  EXPECT_THAT(AfterDamage("ALTER TABLE observers DROP COLUMN radio").missing,
              ElementsAre("column observers.radio"));
}

TEST(Readiness, FindsAMissingIndex) {
  EXPECT_THAT(AfterDamage("DROP INDEX observations_by_transmission").missing,
              ElementsAre("index observations_by_transmission"));
}

TEST(Readiness, FindsAMissingTrigger) {
  EXPECT_THAT(AfterDamage("DROP TRIGGER feed_commit").missing, ElementsAre("trigger feed_commit"));
}

TEST(Readiness, FindsAMissingEpoch) {
  EXPECT_THAT(AfterDamage("DELETE FROM meta WHERE key='epoch'").missing, ElementsAre("row meta.epoch"));
}

TEST(Readiness, FindsAMigrationRecordedWithAnotherText) {
  EXPECT_THAT(AfterDamage("UPDATE schema_migration SET digest='0' WHERE number=1").missing,
              ElementsAre(HasSubstr("another text")));
}

TEST(Readiness, SaysWhenTheDatabaseIsNewer) {
  const auto readiness = AfterDamage("PRAGMA user_version=9999");
  EXPECT_TRUE(readiness.newer);
  EXPECT_FALSE(readiness.ready());
}

TEST(Readiness, RefusesTheDatabaseOfAnotherProgram) {
  EXPECT_THROW(AfterDamage("PRAGMA application_id=1"), ForeignDatabase);
}

TEST(Readiness, RefusesAFileThatIsNoDatabase) {
  TemporaryFolder folder;
  std::ofstream(folder / "h.db") << std::string(8192, 'x');
  EXPECT_THROW(AssessReadiness(folder / "h.db"), ForeignDatabase);
  EXPECT_THROW(OpenForWriting(folder / "h.db"), ForeignDatabase);
}

TEST(Readiness, WorksOnAReadOnlyHandle) {
  TemporaryFolder folder;
  {
    auto database = OpenForWriting(folder / "h.db");
    Migrate(database);
  }
  EXPECT_TRUE(AssessReadiness(folder / "h.db").ready());
}

}  // namespace
}  // namespace heliograph::dbschema
