#include "ingestor/check.h"

#include <array>

#include "dbschema/database.h"
#include "dbschema/readiness.h"
#include "ingestor/check_rules.h"

namespace heliograph::ingestor {
namespace {

void CheckPages(SQLite::Database& database, CheckReport& report) {
  SQLite::Statement integrity(database, "PRAGMA integrity_check(10)");
  while (integrity.executeStep()) {
    const std::string line = integrity.getColumn(0).getString();
    if (line != "ok") report.faults.push_back("integrity: " + line);
  }
  SQLite::Statement foreign_keys(database, "PRAGMA foreign_key_check");
  while (foreign_keys.executeStep())
    report.faults.push_back("foreign key: table " + foreign_keys.getColumn(0).getString() + ", row " +
                            foreign_keys.getColumn(1).getString() + " refers to nothing in " +
                            foreign_keys.getColumn(2).getString());
}

void CheckDatabase(const Volume& volume, CheckReport& report, const CheckProgress& progress) {
  const auto readiness = dbschema::AssessReadiness(volume.database());
  if (readiness.newer) {
    report.foreign = true;
    report.faults.push_back("the database has version " + std::to_string(readiness.version) +
                            ", and this program knows " + std::to_string(readiness.known_version) +
                            ": install the newer Heliograph");
    return;
  }
  for (const std::string& item : readiness.missing) report.faults.push_back("missing: " + item);
  if (!readiness.ready()) return;
  auto database = dbschema::OpenForReading(volume.database());
  // One moment for all rules, for an ingestor may be at work.
  SQLite::Transaction moment(database);
  CheckPages(database, report);
  for (std::string& fault : BrokenRules(database, [&](std::size_t done, std::size_t total) {
         if (progress) progress(1 + done, 1 + total);
       }))
    report.faults.push_back(std::move(fault));
  const auto count = [&](const char* table) {
    return std::to_string(database.execAndGet(std::string("SELECT count(*) FROM ") + table).getInt64()) +
           " " + table;
  };
  const auto staged =
      database.execAndGet("SELECT count(*) FROM cluster_runs WHERE commit_seq IS NULL").getInt64();
  if (staged > 0)
    report.notes.push_back(
        std::to_string(staged) +
        " cluster runs are staged: an ingestor is at it, or was ended, and sweeps them when it "
        "applies the next");
  report.notes.push_back("version " + std::to_string(readiness.version) + ", " + count("transmissions") +
                         ", " + count("observations") + ", " + count("nodes") + ", " +
                         count("inactive_nodes") + ", " + count("observers"));
}

std::size_t CountEntries(const std::filesystem::path& folder) {
  std::error_code error;
  std::size_t entries = 0;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    ++entries;
  return entries;
}

void CheckQueue(const Volume& volume, CheckReport& report) {
  const std::array folders{volume.queue_temporary(), volume.queue_new(), volume.queue_failed()};
  for (const auto& folder : folders) {
    if (!std::filesystem::is_directory(folder)) {
      report.faults.push_back("missing: folder " + folder.string());
      return;
    }
  }
  if (const auto failed = CountEntries(volume.queue_failed()); failed > 0)
    report.faults.push_back("the queue has " + std::to_string(failed) + " entries in " +
                            volume.queue_failed().string() + ": read the .reason files, then delete them");
  report.notes.push_back(std::to_string(CountEntries(volume.queue_new())) + " files wait in the queue");
}

}  // namespace

CheckReport Check(const Volume& volume, const CheckProgress& progress) {
  CheckReport report;
  try {
    CheckDatabase(volume, report, progress);
    CheckQueue(volume, report);
  } catch (const dbschema::ForeignDatabase& error) {
    report.foreign = true;
    report.faults.emplace_back(error.what());
  } catch (const std::exception& error) {
    report.faults.push_back(std::string("the check itself failed: ") + error.what());
  }
  return report;
}

}  // namespace heliograph::ingestor
