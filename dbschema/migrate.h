#pragma once

#include <span>
#include <stdexcept>
#include <string_view>

#include "dbschema/database.h"

namespace heliograph::dbschema {

/// One numbered step of the schema. A released step is frozen: its text never changes and its number is never
/// reused.
struct Migration {
  int number;  ///< 1, 2, 3, … without gaps
  std::string_view name;
  std::string_view sql;  ///< any number of statements; runs in one transaction with its record
};

/// The steps that this program carries, in order.
std::span<const Migration> ReleasedMigrations();

/// A step could not be carried out, or a recorded one is not the one that this program carries. The database
/// is as it was before that step. The message names the step and the cause.
class MigrationFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct MigrationReport {
  int from = 0;  ///< version before
  int to = 0;    ///< version after
};

/// Brings the database to the newest of `migrations`, each step in a transaction of its own that also records
/// its number, name and digest. A database that is there already is left untouched. Throws ForeignDatabase
/// for a database of another program or one that records a step above the newest, MigrationFailed otherwise.
/// REQUIRED: `database` came from OpenForWriting.
MigrationReport Migrate(SQLite::Database& database,
                        std::span<const Migration> migrations = ReleasedMigrations());

/// Throws ForeignDatabase unless `database` is empty or Heliograph's and of a version up to `newest`. Returns
/// the version.
int RequireOwn(SQLite::Database& database, int newest);

/// The number of the last of `migrations`; 0 for none.
int NewestVersion(std::span<const Migration> migrations);

/// What is recorded beside a migration, so that a changed text is found: the SHA-256 of its SQL in hex.
std::string Digest(const Migration& migration);

}  // namespace heliograph::dbschema
