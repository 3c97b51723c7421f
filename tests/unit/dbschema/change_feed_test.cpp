#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "dbschema/migrate.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::dbschema {
namespace {

using heliograph::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ChangeFeedTest : public ::testing::Test {
 protected:
  ChangeFeedTest() : database_(OpenForWriting(folder_ / "h.db")) {
    Migrate(database_);
    database_.exec("INSERT INTO identity(key, public_key) VALUES (7, randomblob(32))");
  }

  void Commit(int seq, const std::string& rows) {
    SQLite::Transaction transaction(database_);
    const std::string number = std::to_string(seq);
    database_.exec(
        "INSERT INTO "
        "commit_log(commit_seq,commit_id,branch_id,parent_seq,kind,actor,authored_us,committed_us) "
        "VALUES (" +
        number + ",'c" + number + "',1," + std::to_string(seq - 1) + ",'snapshot','test'," + number + "," +
        number + ")");
    database_.exec(rows);
    database_.exec("UPDATE branch SET head_seq=" + number + " WHERE branch_id=1");
    transaction.commit();
  }

  std::vector<std::string> Kinds() {
    std::vector<std::string> kinds;
    SQLite::Statement rows(database_, "SELECT kind FROM change_log ORDER BY seq");
    while (rows.executeStep()) kinds.push_back(rows.getColumn(0).getString());
    return kinds;
  }

  static constexpr const char* kOpen =
      "INSERT INTO node_capability(branch_id,node_key,from_seq,status,evidence,adopted,likely_legacy) "
      "VALUES (1,7,2,2,'advert',1,0)";

  TemporaryFolder folder_;
  SQLite::Database database_;
};

TEST_F(ChangeFeedTest, IsEmptyForANewDatabase) {
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(ChangeFeedTest, ClosesEachBlockWithTheCommit) {
  Commit(2, kOpen);
  EXPECT_THAT(Kinds(), ElementsAre("capability_changed", "commit"));
}

TEST_F(ChangeFeedTest, SaysNothingOfAnIntervalThatClosesForItsSuccessor) {
  Commit(2, kOpen);
  Commit(3,
         "UPDATE node_capability SET to_seq=3 WHERE node_key=7;"
         "INSERT INTO node_capability(branch_id,node_key,from_seq,status,adopted,likely_legacy) VALUES "
         "(1,7,3,0,0,0)");
  EXPECT_THAT(Kinds(), ElementsAre("capability_changed", "commit", "capability_changed", "commit"));
}

TEST_F(ChangeFeedTest, TellsOfReadinessThatChangedOrCameToAnEnd) {
  Commit(
      2,
      "INSERT INTO switch_readiness(branch_id,region,from_seq,figures) VALUES (1,'',2,'{\"traffic\":{}}')");
  Commit(3,
         "UPDATE switch_readiness SET to_seq=3;"
         "INSERT INTO switch_readiness(branch_id,region,from_seq) VALUES (1,'',3)");
  EXPECT_THAT(Kinds(), ElementsAre("readiness_changed", "commit", "readiness_changed", "commit"));
  EXPECT_THROW(database_.exec("UPDATE switch_readiness SET figures=NULL"), SQLite::Exception);
}

TEST_F(ChangeFeedTest, TellsOfARemovedNode) {
  database_.exec("INSERT INTO removed_nodes VALUES (7, 'pruned', 5, NULL, 1)");
  EXPECT_THAT(Kinds(), ElementsAre("node_removed"));
}

TEST_F(ChangeFeedTest, CannotBeRewritten) {
  Commit(2, kOpen);
  EXPECT_THROW(database_.exec("UPDATE change_log SET kind='other'"), SQLite::Exception);
  EXPECT_THROW(database_.exec("DELETE FROM change_log"), SQLite::Exception);
  EXPECT_THROW(database_.exec("UPDATE commit_log SET actor='other' WHERE commit_seq=2"), SQLite::Exception);
  EXPECT_THROW(database_.exec("UPDATE node_capability SET status=1"), SQLite::Exception);
}

TEST_F(ChangeFeedTest, LosesOnlyWhatTheFloorHasGivenUp) {
  Commit(2, kOpen);
  database_.exec("UPDATE meta SET value='1' WHERE key='feed_floor'");
  database_.exec("DELETE FROM change_log WHERE seq<=1");
  EXPECT_THAT(Kinds(), ElementsAre("commit"));
  EXPECT_THROW(database_.exec("DELETE FROM change_log"), SQLite::Exception);
}

/// Every column of every captured table is either in the feed or left out on purpose. A new column has to be
/// decided here.
TEST_F(ChangeFeedTest, HasADecisionForEachColumnOfACapturedTable) {
  const std::map<std::string, std::set<std::string>> decided{
      {"node_capability",
       {"branch_id", "node_key", "from_seq", "to_seq", "status", "evidence", "max_hash_size", "adopted",
        "likely_legacy", "probability"}},
      {"switch_readiness", {"branch_id", "region", "from_seq", "to_seq", "figures"}},
      {"branch", {"branch_id", "name", "state", "base_seq", "head_seq", "actor", "created_at", "deleted_at"}},
      {"removed_nodes", {"node_key", "reason", "removed_at", "commit_seq", "revision"}},
      {"cluster_track_states",
       {"branch_id", "track_key", "from_seq", "to_seq", "slug", "title", "title_pinned", "status",
        "representative_key", "merged_into", "merged_by_hand"}},
      {"cluster_aliases", {"branch_id", "alias", "from_seq", "to_seq", "track_key"}},
      {"cluster_decision_states", {"branch_id", "decision_id", "from_seq", "to_seq", "state"}},
      {"cluster_overrides",
       {"branch_id", "override_id", "from_seq", "to_seq", "collection", "action", "track_key",
        "other_track_key", "title", "undoes", "actor", "reason", "created_at"}},
      {"cluster_state", {"branch_id", "collection", "active_run", "previous_run", "commit_seq"}},
      {"cluster_jobs",
       {"job_id", "branch_id", "collection", "kind", "state", "trigger_kind", "instance", "requested_by",
        "parameters", "requested_at", "started_at", "finished_at", "run_id", "statistics", "error"}},
  };
  // Live only, derived, or their own log: never in the feed.
  const std::set<std::string> not_captured{
      "meta", "data_move", "identity", "nodes", "inactive_nodes", "observers", "observer_metrics",
      "transmissions", "observations", "dropped_packets", "commit_log", "ledger", "capability_counters",
      "change_log", "recovery_audit", "ingest_status", "ingest_counter", "maintenance_task", "pin", "process",
      "schema_migration", "neighbor_edges",
      // Whole runs, what they are made of, and what never changes: the events
      // of their pointer, their tracks and their decisions' states tell of them.
      "item_identity", "cluster_runs", "cluster_snapshots", "cluster_members", "cluster_tracks",
      "cluster_merge_decisions", "cluster_decision_tracks", "cluster_override_members",
      "cluster_override_counters"};
  SQLite::Statement tables(
      database_,
      "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  while (tables.executeStep()) {
    const std::string table = tables.getColumn(0).getString();
    if (not_captured.contains(table)) continue;
    ASSERT_TRUE(decided.contains(table)) << "no decision for table " << table;
    std::set<std::string> columns;
    SQLite::Statement info(database_, "SELECT name FROM pragma_table_info(?)");
    info.bind(1, table);
    while (info.executeStep()) columns.insert(info.getColumn(0).getString());
    EXPECT_EQ(columns, decided.at(table)) << "table " << table;
  }
  std::set<std::string> captured, decided_tables;
  SQLite::Statement triggers(
      database_, "SELECT tbl_name FROM sqlite_schema WHERE type='trigger' AND sql LIKE '%INTO change_log%'");
  while (triggers.executeStep()) captured.insert(triggers.getColumn(0).getString());
  for (const auto& [table, columns] : decided) decided_tables.insert(table);
  EXPECT_EQ(captured, decided_tables)
      << "a captured table has a trigger that writes to the feed, and no other has";
}

}  // namespace
}  // namespace heliograph::dbschema
