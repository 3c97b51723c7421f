#include "ingestor/check.h"

#include <array>

#include "dbschema/database.h"
#include "dbschema/readiness.h"

namespace heliograph::ingestor {
namespace {

/// A rule that must hold in every database, as a query for the rows that break it.
struct Rule {
  const char* text;
  const char* violations;
};

constexpr std::array kRules{
    Rule{"an applied queue file has exactly one commit",
         "SELECT id FROM ledger WHERE outcome='applied' AND NOT EXISTS"
         " (SELECT 1 FROM commit_log WHERE commit_seq=ledger.commit_seq AND ledger_id=ledger.id)"},
    Rule{"a commit of a queue file has its row in the ledger",
         "SELECT commit_seq FROM commit_log WHERE ledger_id IS NOT NULL AND ledger_id NOT IN (SELECT id FROM "
         "ledger)"},
    Rule{"a branch's head is its newest commit, or its base",
         "SELECT name FROM branch AS b WHERE head_seq IS NOT"
         " coalesce((SELECT max(commit_seq) FROM commit_log WHERE branch_id=b.branch_id), b.base_seq)"},
    Rule{"commits of a branch form one chain",
         "SELECT c.commit_seq FROM commit_log AS c WHERE c.kind<>'genesis' AND c.parent_seq IS NOT"
         " coalesce((SELECT max(p.commit_seq) FROM commit_log AS p WHERE p.branch_id=c.branch_id AND"
         " p.commit_seq<c.commit_seq), (SELECT base_seq FROM branch WHERE branch_id=c.branch_id))"},
    Rule{
        "intervals of a node do not overlap",
        "SELECT a.node_key FROM node_capability AS a JOIN node_capability AS b ON a.branch_id=b.branch_id AND"
        " a.node_key=b.node_key AND a.from_seq<b.from_seq WHERE a.to_seq IS NULL OR a.to_seq>b.from_seq"},
    Rule{"intervals of a region's readiness do not overlap",
         "SELECT a.region FROM switch_readiness AS a JOIN switch_readiness AS b ON a.branch_id=b.branch_id AND"
         " a.region=b.region AND a.from_seq<b.from_seq WHERE a.to_seq IS NULL OR a.to_seq>b.from_seq"},
    Rule{"the columns of a node say what its open interval says",
         "SELECT n.public_key FROM (SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM "
         "nodes UNION ALL"
         " SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM inactive_nodes) AS n"
         " LEFT JOIN node_capability AS c ON c.branch_id=1 AND c.node_key=n.node_key AND c.to_seq IS NULL"
         " WHERE n.multibyte_sup<>coalesce(c.status, 0) OR n.multibyte_evidence IS NOT c.evidence"},
    Rule{"the pointer of a branch names its newest applied run",
         "SELECT s.collection FROM cluster_state AS s WHERE s.active_run IS NOT (SELECT r.run_id FROM "
         "cluster_runs AS r"
         " WHERE r.branch_id=s.branch_id AND r.collection=s.collection AND r.commit_seq IS NOT NULL"
         " ORDER BY r.commit_seq DESC LIMIT 1)"},
    Rule{
        "an applied run has the members that it counts",
        "SELECT r.run_id FROM cluster_runs AS r WHERE r.commit_seq IS NOT NULL AND r.pruned_at IS NULL AND"
        " (r.member_count, r.unclustered_count) IS NOT (SELECT count(ordinal), count(*) - count(ordinal) FROM"
        " cluster_members AS m WHERE m.run_id=r.run_id)"},
    Rule{"a cluster has the members that it counts",
         "SELECT c.run_id FROM cluster_snapshots AS c JOIN cluster_runs AS r USING(run_id) WHERE r.pruned_at "
         "IS NULL"
         " AND c.size<>(SELECT count(*) FROM cluster_members AS m WHERE m.run_id=c.run_id AND "
         "m.ordinal=c.ordinal)"},
    Rule{"no two clusters of a run are one track",
         "SELECT run_id FROM cluster_snapshots WHERE track_key IS NOT NULL GROUP BY run_id, track_key"
         " HAVING count(*)>1"},
    Rule{"intervals of a track do not overlap",
         "SELECT a.track_key FROM cluster_track_states AS a JOIN cluster_track_states AS b ON "
         "a.branch_id=b.branch_id"
         " AND a.track_key=b.track_key AND a.from_seq<b.from_seq WHERE a.to_seq IS NULL OR "
         "a.to_seq>b.from_seq"},
    Rule{"a node is active or inactive, not both",
         "SELECT public_key FROM nodes WHERE node_key IN"
         " (SELECT node_key FROM inactive_nodes)"},
    Rule{"an observation belongs to a transmission",
         "SELECT id FROM observations WHERE transmission_id NOT IN (SELECT id FROM transmissions)"},
    Rule{"a transmission counts its observations",
         "SELECT t.id FROM transmissions AS t LEFT JOIN (SELECT transmission_id, count(*) AS n FROM "
         "observations"
         " GROUP BY transmission_id) AS o ON o.transmission_id=t.id WHERE t.observation_count<>coalesce(o.n, "
         "0)"},
    Rule{"the feed has no gap above its floor",
         "SELECT seq FROM change_log AS l WHERE seq>(SELECT CAST(value AS INTEGER) FROM meta WHERE "
         "key='feed_floor')+1"
         " AND NOT EXISTS (SELECT 1 FROM change_log AS p WHERE p.seq=l.seq-1)"},
    Rule{"each commit above the feed's floor closes its block there",
         "SELECT commit_seq FROM commit_log AS c WHERE kind<>'genesis' AND commit_seq>(SELECT "
         "coalesce(max(commit_seq), 0)"
         " FROM commit_log WHERE commit_seq<=(SELECT coalesce(min(commit_seq), 9e18)-1 FROM change_log WHERE"
         " commit_seq IS NOT NULL)) AND NOT EXISTS (SELECT 1 FROM change_log AS l WHERE l.kind='commit' AND"
         " l.commit_seq=c.commit_seq) AND EXISTS (SELECT 1 FROM change_log)"},
};

void CheckRules(SQLite::Database& database, CheckReport& report) {
  for (const Rule& rule : kRules) {
    SQLite::Statement rows(database, std::string("SELECT count(*), (SELECT * FROM (") + rule.violations +
                                         ") LIMIT 1) FROM (" + rule.violations + ")");
    rows.executeStep();
    const auto broken = rows.getColumn(0).getInt64();
    if (broken > 0)
      report.faults.push_back(std::string(rule.text) + ": " + std::to_string(broken) +
                              " rows do not, the first is " + rows.getColumn(1).getString());
  }
}

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

void CheckDatabase(const Volume& volume, CheckReport& report) {
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
  CheckRules(database, report);
  const auto count = [&](const char* table) {
    return std::to_string(database.execAndGet(std::string("SELECT count(*) FROM ") + table).getInt64()) +
           " " + table;
  };
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

CheckReport Check(const Volume& volume) {
  CheckReport report;
  try {
    CheckDatabase(volume, report);
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
