#include "server/clusters/cluster_moment.h"

#include <limits>

#include "server/state/row_values.h"

namespace heliograph::server {

std::int64_t ClusterMoment::last_seq() const {
  return as_of_seq.value_or(std::numeric_limits<std::int64_t>::max());
}

ClusterMoment ClusterMomentOn(const BranchLine& line, std::optional<std::int64_t> as_of_seq) {
  return {line.branch_id, line.base_seq.value_or(0), as_of_seq};
}

std::string IntervalsAt(const std::string& table, const std::string& key) {
  return "(SELECT * FROM " + table +
         " WHERE branch_id=?1 AND from_seq<=?3 AND (to_seq IS NULL OR to_seq>?3) UNION ALL SELECT * FROM " +
         table +
         " AS m WHERE ?1<>1 AND m.branch_id=1 AND m.from_seq<=min(?2, ?3) AND (m.to_seq IS NULL OR "
         "m.to_seq>min(?2, ?3))"
         " AND NOT EXISTS (SELECT 1 FROM " +
         table + " AS o WHERE o.branch_id=?1 AND o." + key + "=m." + key + " AND o.from_seq<=?3))";
}

void BindMoment(SQLite::Statement& statement, const ClusterMoment& moment) {
  statement.bind(1, moment.branch);
  statement.bind(2, moment.base_seq);
  statement.bind(3, moment.last_seq());
}

std::optional<std::int64_t> ActiveRun(ReaderConnection& reader, const ClusterMoment& moment,
                                      ClusterCollection collection) {
  const std::string name(Name(collection));
  if (!moment.as_of_seq) {
    SQLite::Statement& pointer =
        reader.Prepared("SELECT active_run FROM cluster_state WHERE branch_id=? AND collection=?");
    pointer.bind(1, moment.branch);
    pointer.bind(2, name);
    if (pointer.executeStep()) return pointer.getColumn(0).getInt64();
    if (moment.branch == 1) return std::nullopt;
  }
  // A pointer stood at the newest run that was applied by then.
  SQLite::Statement& row = reader.Prepared(
      "SELECT run_id FROM cluster_runs WHERE commit_seq IS NOT NULL AND collection=?4 AND"
      " (branch_id=?1 AND commit_seq<=?3 OR branch_id=1 AND commit_seq<=min(?2, ?3)) ORDER BY commit_seq "
      "DESC LIMIT 1");
  BindMoment(row, moment);
  row.bind(4, name);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getInt64();
}

}  // namespace heliograph::server
