#include "ingestor/backup.h"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "dbschema/database.h"
#include "dbschema/migrate.h"

namespace heliograph::ingestor {
namespace {

constexpr int kPagesAtATime = 1024;
constexpr std::chrono::milliseconds kBusyPause{20};
constexpr std::chrono::seconds kPatience{60};

void CopyAll(SQLite::Database& from, SQLite::Database& to, const BackupProgress& progress) {
  SQLite::Backup backup(to, from);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int result = SQLITE_OK;
  while (result != SQLITE_DONE) {
    result = backup.executeStep(kPagesAtATime);
    if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("the database stays locked; try again later");
      std::this_thread::sleep_for(kBusyPause);
    }
    if (progress)
      progress(backup.getTotalPageCount() - backup.getRemainingPageCount(), backup.getTotalPageCount());
  }
  // The copy is one file, without a log beside it.
  to.exec("PRAGMA journal_mode=DELETE");
}

void SyncFolder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    throw std::system_error(errno, std::generic_category(), "cannot open " + folder.string());
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) throw std::system_error(error, std::generic_category(), "cannot sync " + folder.string());
}

/// Moves what the log of `live` holds into it, so that the file alone is the whole database.
void FoldLog(const std::filesystem::path& live) {
  auto old = dbschema::OpenForWriting(live);
  if (old.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0)
    throw std::runtime_error("a reader uses " + live.string() + "; stop heliograph-server and try again");
}

}  // namespace

void Backup(const Volume& volume, const std::filesystem::path& out, const BackupProgress& progress) {
  auto from = dbschema::OpenForReading(volume.database());
  auto to = dbschema::CreateCopyTarget(out);
  try {
    // One read transaction for the whole copy: the backup would start again whenever the writer commits.
    SQLite::Transaction moment(from);
    from.execAndGet("SELECT count(*) FROM meta");
    CopyAll(from, to, progress);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(out, ignored);
    throw;
  }
}

void Restore(const Volume& volume, const std::filesystem::path& in) {
  const std::filesystem::path live = volume.database();
  const std::filesystem::path staged = volume.database_folder() / "heliograph.db.restoring";
  const std::filesystem::path kept = volume.database_folder() / "heliograph.db.before-restore";
  if (std::filesystem::exists(kept))
    throw std::runtime_error(kept.string() + " is there from an earlier restore; move it away first");
  std::filesystem::remove(staged);
  {
    auto from = dbschema::OpenForReading(in);
    dbschema::RequireOwn(from, dbschema::NewestVersion(dbschema::ReleasedMigrations()));
    auto to = dbschema::CreateCopyTarget(staged);
    CopyAll(from, to, {});
    to.exec("UPDATE meta SET value=lower(hex(randomblob(16))) WHERE key='epoch'");
  }
  if (std::filesystem::exists(live)) {
    FoldLog(live);
    std::filesystem::create_hard_link(live, kept);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(live.string() + suffix);
  }
  // At every moment one of the two is there under the database's name.
  std::filesystem::rename(staged, live);
  SyncFolder(volume.database_folder());
}

}  // namespace heliograph::ingestor
