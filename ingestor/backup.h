#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/volume.h"

namespace heliograph::ingestor {

/// Called now and then with the pages copied so far and all pages.
using BackupProgress = std::function<void(int copied, int total)>;

/// Copies the database, as of one moment, to `out`. Reads only and needs no lock; the ingestor may go on
/// writing. Throws std::runtime_error when `out` exists, and SQLite::Exception when reading or writing fails;
/// a partial `out` is removed.
void Backup(const Volume& volume, const std::filesystem::path& out, const BackupProgress& progress = {});

struct RestoreReport {
  std::optional<std::filesystem::path> kept;  ///< the database that was there; nothing when there was none
  /// Why the log of that database could not be moved into it, which is then kept beside it; nothing when it
  /// was sound.
  std::optional<std::string> damage;
};

/// Puts the database `in` in the place of the volume's, under a new epoch, so that nothing computed from
/// another history is ever applied to it. What waits in the queue is left there, and will be refused as of
/// another epoch. The database that was there before is kept beside it, as `heliograph.db.before-restore`,
/// also when it is damaged, foreign or newer, which may be why there is a restore; a crash leaves the one or
/// the other in place. REQUIRED: the caller holds the volume's lock and has the database closed. Throws
/// dbschema::ForeignDatabase when `in` is no database of Heliograph's, or a newer one, and std::runtime_error
/// when a reader uses the database, or an earlier one is kept still; all is then as it was.
RestoreReport Restore(const Volume& volume, const std::filesystem::path& in,
                      const BackupProgress& progress = {});

}  // namespace heliograph::ingestor
