#include "ingestor/backup.h"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>

#include <stdexcept>
#include <system_error>
#include <thread>

#include "dbschema/database.h"
#include "dbschema/migrate.h"
#include "queue/posix_file.h"

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
  const queue::FileDescriptor opened(queue::OpenAt(AT_FDCWD, folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (!opened.valid()) throw std::runtime_error(queue::LastError("open", folder.string()).text);
  if (const int code = queue::Sync(opened.get()); code != 0)
    throw std::runtime_error(queue::ErrorOf(code, "make durable", folder.string()).text);
}

/// Somebody reads the database, which must not change its file under them.
class DatabaseInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The random id of the volume, if its database can still tell it.
std::optional<std::string> InstallationOf(const std::filesystem::path& live) {
  try {
    auto database = dbschema::OpenForReading(live);
    return dbschema::ReadMeta(database, "installation");
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// Moves what the log of `live` holds into it, so that the file alone is the whole database. Throws
/// DatabaseInUse, or whatever a file that is damaged, foreign or newer gives.
void FoldLog(const std::filesystem::path& live) {
  const std::string advice = "a reader uses " + live.string() + "; stop heliograph-server and try again";
  try {
    {
      // What is not ours, or damaged, is not opened for writing: SQLite would remove its log.
      auto old = dbschema::OpenForReading(live);
      dbschema::RequireOwn(old, dbschema::NewestVersion(dbschema::ReleasedMigrations()));
    }
    auto old = dbschema::OpenForWriting(live);
    if (old.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0) throw DatabaseInUse(advice);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_BUSY || error.getErrorCode() == SQLITE_LOCKED)
      throw DatabaseInUse(advice);
    throw;
  }
}

/// Keeps `live` under the name `kept` as well, with its log when that cannot be moved into it.
RestoreReport Keep(const std::filesystem::path& live, const std::filesystem::path& kept) {
  RestoreReport report;
  report.kept = kept;
  const std::filesystem::path log = live.string() + "-wal";
  try {
    FoldLog(live);
  } catch (const DatabaseInUse&) {
    throw;
  } catch (const std::exception& error) {
    report.damage = error.what();
    if (std::filesystem::exists(log)) std::filesystem::create_hard_link(log, kept.string() + "-wal");
  }
  std::filesystem::create_hard_link(live, kept);
  return report;
}

/// The copy on its way, which goes when something fails before it has its place.
class StagedCopy {
 public:
  explicit StagedCopy(std::filesystem::path file) : file_(std::move(file)) { Remove(); }
  ~StagedCopy() { Remove(); }
  StagedCopy(const StagedCopy&) = delete;
  StagedCopy& operator=(const StagedCopy&) = delete;

  const std::filesystem::path& file() const { return file_; }

 private:
  void Remove() noexcept {
    std::error_code ignored;
    for (const char* suffix : {"", "-journal"}) std::filesystem::remove(file_.string() + suffix, ignored);
  }

  std::filesystem::path file_;
};

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

RestoreReport Restore(const Volume& volume, const std::filesystem::path& in, const BackupProgress& progress) {
  const std::filesystem::path live = volume.database();
  const std::filesystem::path kept = volume.database_folder() / "heliograph.db.before-restore";
  for (const char* suffix : {"", "-wal"}) {
    const std::filesystem::path earlier = kept.string() + suffix;
    if (std::filesystem::exists(earlier))
      throw std::runtime_error(earlier.string() + " is there from an earlier restore; move it away first");
  }
  const StagedCopy staged(volume.database_folder() / "heliograph.db.restoring");
  {
    auto from = dbschema::OpenForReading(in);
    dbschema::RequireOwn(from, dbschema::NewestVersion(dbschema::ReleasedMigrations()));
    auto to = dbschema::CreateCopyTarget(staged.file());
    CopyAll(from, to, progress);
    to.exec("UPDATE meta SET value=lower(hex(randomblob(16))) WHERE key='epoch'");
    // The backup may be that of another volume, with which this one must not share its sessions.
    to.exec("DELETE FROM meta WHERE key='installation'");
    if (const auto own = InstallationOf(live)) {
      SQLite::Statement keep(to, "INSERT INTO meta VALUES ('installation', ?)");
      keep.bind(1, *own);
      keep.exec();
    }
  }
  RestoreReport report;
  if (std::filesystem::exists(live)) report = Keep(live, kept);
  // A log that another database left must not be read as that of the new one.
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(live.string() + suffix);
  // At every moment one of the two is there under the database's name.
  std::filesystem::rename(staged.file(), live);
  SyncFolder(volume.database_folder());
  return report;
}

}  // namespace heliograph::ingestor
