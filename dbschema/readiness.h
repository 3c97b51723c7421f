#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dbschema/database.h"

namespace heliograph::dbschema {

/// Whether a database is fit to be read, found by looking at what is physically there.
struct Readiness {
  int version = 0;        ///< the highest migration that the database records; 0 for none
  int known_version = 0;  ///< the highest that this program knows
  std::vector<std::string>
      missing;         ///< "table nodes", "column nodes.role", "index …", "trigger …", "migration 3 …"
  bool newer = false;  ///< written by a newer program: it must be upgraded, waiting does not help

  bool ready() const { return missing.empty() && !newer; }
};

/// The highest schema version that this program knows.
int KnownVersion();

/// Compares `database` with what the migrations of this program make: every table, column, index and trigger,
/// the digests of the recorded migrations, and the epoch. Reads only. Nothing is cached: call it again to
/// look again. Throws ForeignDatabase when the file belongs to another program, SQLite::Exception on an I/O
/// error.
Readiness AssessReadiness(SQLite::Database& database);

/// The same for a file that may not exist yet: then `missing` names it. Transient errors of SQLite are
/// reported as missing too, with SQLite's text.
Readiness AssessReadiness(const std::filesystem::path& file);

}  // namespace heliograph::dbschema
