#include "dbschema/readiness.h"

#include <limits>
#include <set>
#include <utility>

#include "dbschema/migrate.h"

namespace heliograph::dbschema {
namespace {

/// What a schema physically consists of, as lines that a person can read.
std::set<std::string> Inventory(SQLite::Database& database) {
  std::set<std::string> inventory;
  SQLite::Statement objects(
      database, "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  while (objects.executeStep())
    inventory.insert(objects.getColumn(0).getString() + " " + objects.getColumn(1).getString());
  SQLite::Statement columns(database,
                            "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, "
                            "pragma_table_xinfo(t.name) AS c WHERE t.type = 'table'");
  while (columns.executeStep()) inventory.insert("column " + columns.getColumn(0).getString());
  return inventory;
}

const std::set<std::string>& ExpectedInventory() {
  static const std::set<std::string> expected = [] {
    SQLite::Database model(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    Migrate(model);
    return Inventory(model);
  }();
  return expected;
}

void CheckRecords(SQLite::Database& database, Readiness& readiness) {
  for (const Migration& migration : ReleasedMigrations()) {
    SQLite::Statement row(database, "SELECT digest FROM schema_migration WHERE number=?");
    row.bind(1, migration.number);
    const std::string label =
        "migration " + std::to_string(migration.number) + " " + std::string(migration.name);
    if (!row.executeStep()) {
      readiness.missing.push_back(label);
    } else if (row.getColumn(0).getString() != Digest(migration)) {
      readiness.missing.push_back(label + " (recorded with another text)");
    }
  }
}

void CheckEpoch(SQLite::Database& database, Readiness& readiness) {
  try {
    if (!ReadMeta(database, "epoch").empty()) return;
  } catch (const std::out_of_range&) {
  }
  readiness.missing.emplace_back("row meta.epoch");
}

}  // namespace

int KnownVersion() {
  return NewestVersion(ReleasedMigrations());
}

Readiness AssessReadiness(SQLite::Database& database) {
  Readiness readiness;
  readiness.known_version = KnownVersion();
  readiness.version = RequireOwn(database, std::numeric_limits<int>::max());
  if (readiness.version > readiness.known_version) {
    readiness.newer = true;
    return readiness;
  }
  const auto present = Inventory(database);
  for (const std::string& item : ExpectedInventory()) {
    if (!present.contains(item)) readiness.missing.push_back(item);
  }
  if (present.contains("table schema_migration")) CheckRecords(database, readiness);
  if (present.contains("table meta")) CheckEpoch(database, readiness);
  return readiness;
}

Readiness AssessReadiness(const std::filesystem::path& file) {
  Readiness readiness;
  readiness.known_version = KnownVersion();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    readiness.missing.push_back("database " + file.string());
    return readiness;
  }
  try {
    auto database = OpenForReading(file);
    return AssessReadiness(database);
  } catch (const SQLite::Exception& failure) {
    if (!IsTransient(failure)) throw;
    readiness.missing.push_back("database " + file.string() + " (" + failure.what() + ")");
    return readiness;
  }
}

}  // namespace heliograph::dbschema
