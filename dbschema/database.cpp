#include "dbschema/database.h"

#include <sqlite3.h>

#include "dbschema/migrate.h"

namespace heliograph::dbschema {
namespace {

constexpr int kBusyTimeoutMs = 2000;
constexpr long kJournalSizeLimitBytes = 64L << 20;

// Debian compiles SQLite thread-safe; each handle here is used by one thread at a time, so its mutex is only
// a cost.
constexpr int kNoMutex = SQLITE_OPEN_NOMUTEX;

void KeepWalAfterClose(SQLite::Database& database) {
  // A reader on a read-only mount can open the database only while the WAL files exist.
  int on = 1;
  sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

}  // namespace

SQLite::Database OpenForWriting(const std::filesystem::path& file) {
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | kNoMutex,
                            kBusyTimeoutMs);
  // Before any setting: what is not ours is not touched.
  RequireOwn(database, NewestVersion(ReleasedMigrations()));
  // Takes effect only before the first table, and only outside WAL mode.
  database.exec("PRAGMA auto_vacuum=INCREMENTAL");
  const std::string mode = database.execAndGet("PRAGMA journal_mode=WAL").getString();
  if (mode != "wal") {
    throw SQLite::Exception("the folder of " + file.string() +
                            " does not support SQLite's WAL mode (it is '" + mode +
                            "'): use a local file system");
  }
  KeepWalAfterClose(database);
  // Each commit waits for the disk: what is acknowledged, or gone from the queue, survives a power cut. A
  // batch costs one wait, which measures like none.
  database.exec("PRAGMA synchronous=FULL");
  database.exec("PRAGMA foreign_keys=ON");
  database.exec("PRAGMA mmap_size=0");
  database.exec("PRAGMA cache_size=-32768");
  // The writer checkpoints itself, between its batches.
  database.exec("PRAGMA wal_autocheckpoint=0");
  database.exec("PRAGMA journal_size_limit=" + std::to_string(kJournalSizeLimitBytes));
  return database;
}

SQLite::Database OpenForReading(const std::filesystem::path& file) {
  SQLite::Database database(file.string(), SQLite::OPEN_READONLY | kNoMutex, kBusyTimeoutMs);
  database.exec("PRAGMA query_only=ON");
  database.exec("PRAGMA mmap_size=0");
  return database;
}

bool IsTransient(const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_READONLY:
      return true;
    default:
      return false;
  }
}

SQLite::Database CreateCopyTarget(const std::filesystem::path& file) {
  if (std::filesystem::exists(file))
    throw std::runtime_error(file.string() + " exists; name a file that does not");
  return SQLite::Database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
}

std::string ReadMeta(SQLite::Database& database, const std::string& key) {
  SQLite::Statement row(database, "SELECT value FROM meta WHERE key=?");
  row.bind(1, key);
  if (!row.executeStep()) throw std::out_of_range("the database has no meta row named " + key);
  return row.getColumn(0).getString();
}

}  // namespace heliograph::dbschema
