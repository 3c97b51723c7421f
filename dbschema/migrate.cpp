#include "dbschema/migrate.h"

#include <sqlite3.h>

#include <map>
#include <string>

#include "common/bytes.h"
#include "common/crypto.h"
#include "common/failpoint.h"
#include "common/time.h"

namespace heliograph::dbschema {
namespace {

constexpr const char* kRecordTable = R"sql(
  CREATE TABLE IF NOT EXISTS schema_migration(
    number     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    applied_at INTEGER NOT NULL
  ) STRICT)sql";

int PragmaInt(SQLite::Database& database, const char* pragma) {
  return database.execAndGet(std::string("PRAGMA ") + pragma).getInt();
}

std::map<int, std::string> RecordedDigests(SQLite::Database& database) {
  std::map<int, std::string> recorded;
  if (!database.tableExists("schema_migration")) return recorded;
  SQLite::Statement rows(database, "SELECT number, digest FROM schema_migration");
  while (rows.executeStep()) recorded.emplace(rows.getColumn(0).getInt(), rows.getColumn(1).getString());
  return recorded;
}

void RunStep(SQLite::Database& database, const Migration& migration) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  database.exec(kRecordTable);
  database.exec(std::string(migration.sql));
  HELIOGRAPH_FAILPOINT(kMigrationMiddle);
  SQLite::Statement record(database,
                           "INSERT INTO schema_migration(number, name, digest, applied_at) VALUES (?,?,?,?)");
  record.bind(1, migration.number);
  record.bind(2, std::string(migration.name));
  record.bind(3, Digest(migration));
  record.bind(4, static_cast<std::int64_t>(WallClockNow().time_since_epoch().count()));
  record.exec();
  database.exec("PRAGMA application_id=" + std::to_string(kApplicationId));
  database.exec("PRAGMA user_version=" + std::to_string(migration.number));
  transaction.commit();
}

}  // namespace

int NewestVersion(std::span<const Migration> migrations) {
  return migrations.empty() ? 0 : migrations.back().number;
}

std::string Digest(const Migration& migration) {
  return ToHexLower(Sha256(AsBytes(migration.sql)));
}

int RequireOwn(SQLite::Database& database, int newest) {
  int application = 0;
  try {
    application = PragmaInt(database, "application_id");
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_NOTADB) throw;
    throw ForeignDatabase(
        "The file " + database.getFilename() +
        " is no SQLite database, or a damaged one. Name another data folder, or restore a backup.");
  }
  const int version = PragmaInt(database, "user_version");
  const bool has_tables = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64() > 0;
  if (application != kApplicationId && (application != 0 || has_tables)) {
    throw ForeignDatabase("The database " + database.getFilename() +
                          " was not made by Heliograph. Name another data folder, or import it with "
                          "`heliograph-ingestor import`.");
  }
  if (version > newest) {
    throw ForeignDatabase("The database " + database.getFilename() + " has schema version " +
                          std::to_string(version) + ", and this program knows versions up to " +
                          std::to_string(newest) +
                          ". Install the newer Heliograph, or restore a backup of that time.");
  }
  return version;
}

MigrationReport Migrate(SQLite::Database& database, std::span<const Migration> migrations) {
  MigrationReport report;
  report.from = RequireOwn(database, NewestVersion(migrations));
  report.to = report.from;
  const auto recorded = RecordedDigests(database);
  for (const Migration& migration : migrations) {
    const std::string step =
        "Migration " + std::to_string(migration.number) + " (" + std::string(migration.name) + ")";
    if (migration.number <= report.from) {
      const auto found = recorded.find(migration.number);
      if (found == recorded.end())
        throw MigrationFailed(step +
                              " is not recorded, although the database says it is newer. Restore a backup.");
      if (found->second != Digest(migration))
        throw MigrationFailed(step +
                              " was another one when this database was made. Use the program that made it.");
      continue;
    }
    try {
      RunStep(database, migration);
    } catch (const SQLite::Exception& error) {
      throw MigrationFailed(step + " failed, and the database is as it was before: " + error.what());
    }
    report.to = migration.number;
  }
  return report;
}

}  // namespace heliograph::dbschema
