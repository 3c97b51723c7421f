#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

namespace heliograph::dbschema {

/// The identity of a Heliograph database in SQLite's header: "HELI".
inline constexpr int kApplicationId = 0x48454C49;

/// The database belongs to another program, or to a newer Heliograph. The message says which and what to do.
class ForeignDatabase : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The one read-write handle of the whole system, created with the file when there is none. Sets the settings
/// that must precede the first table (incremental vacuum) and those of every writer: WAL that persists after
/// the last close, FULL synchronisation, foreign keys. Throws ForeignDatabase for a file of another program
/// or of a newer version, and SQLite::Exception when SQLite cannot open it. REQUIRED: the caller holds the
/// volume's ingestor lock, and uses the handle from one thread.
SQLite::Database OpenForWriting(const std::filesystem::path& file);

/// A handle that cannot write: mode=ro and query_only, never `immutable`. Works on a read-only mount while
/// the WAL files exist. Throws SQLite::Exception when the file is not there or cannot be read yet. Use it
/// from one thread at a time.
SQLite::Database OpenForReading(const std::filesystem::path& file);

/// True for the result codes that a reader meets while the writer starts, stops, checkpoints or recovers:
/// BUSY, CANTOPEN, PROTOCOL and the READONLY_* family. Trying again soon is the answer.
bool IsTransient(const SQLite::Exception& error);

/// A new database file that nobody else knows of yet: the target of a copy. Throws std::runtime_error when
/// `file` exists.
SQLite::Database CreateCopyTarget(const std::filesystem::path& file);

/// One row of `meta`. Throws std::out_of_range when there is none.
std::string ReadMeta(SQLite::Database& database, const std::string& key);

}  // namespace heliograph::dbschema
