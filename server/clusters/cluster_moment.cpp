#include "server/clusters/cluster_moment.h"

#include <algorithm>
#include <limits>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

std::optional<std::int64_t> NewestRun(ReaderConnection& reader, std::int64_t branch,
                                      const std::string& collection, std::int64_t last_seq) {
  SQLite::Statement& row = reader.Prepared(
      "SELECT run_id FROM cluster_runs WHERE branch_id=? AND collection=? AND commit_seq<=?"
      " ORDER BY commit_seq DESC LIMIT 1");
  row.bind(1, branch);
  row.bind(2, collection);
  row.bind(3, last_seq);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getInt64();
}

}  // namespace

std::int64_t ClusterMoment::last_seq() const {
  return as_of_seq.value_or(std::numeric_limits<std::int64_t>::max());
}

ClusterMoment ClusterMomentOn(const BranchLine& line, std::optional<std::int64_t> as_of_seq) {
  return {line.branch_id, line.base_seq.value_or(0), as_of_seq};
}

std::string IntervalsAt(const std::string& table, const std::string& key, const ClusterMoment& moment,
                        const std::string& open_index) {
  std::string text = "(SELECT * FROM " + table;
  if (!moment.as_of_seq && !open_index.empty()) text += " INDEXED BY " + open_index;
  text += " WHERE branch_id=?1 AND from_seq<=?3 AND ";
  text += moment.as_of_seq ? "(to_seq IS NULL OR to_seq>?3)" : "to_seq IS NULL";
  if (moment.branch != 1)
    text += " UNION ALL SELECT * FROM " + table +
            " AS m WHERE m.branch_id=1 AND m.from_seq<=min(?2, ?3) AND (m.to_seq IS NULL OR "
            "m.to_seq>min(?2, ?3)) AND NOT EXISTS (SELECT 1 FROM " +
            table + " AS o WHERE o.branch_id=?1 AND o." + key + "=m." + key + " AND o.from_seq<=?3)";
  return text + ")";
}

std::string ValueAt(const std::string& table, const std::string& key, const std::string& owner,
                    const std::string& column) {
  // Intervals of one owner follow each other, so that only the newest that has begun can hold.
  const std::string of_owner = " FROM " + table + " AS v WHERE v." + key + "=" + owner + " AND v.branch_id=";
  return "coalesce((SELECT iif(v.to_seq IS NULL OR v.to_seq>?3, v." + column + ", NULL)" + of_owner +
         "?1 AND v.from_seq<=?3 ORDER BY v.from_seq DESC LIMIT 1),"
         " (SELECT iif(v.to_seq IS NULL OR v.to_seq>min(?2, ?3), v." +
         column + ", NULL)" + of_owner + "1 AND ?1<>1 AND v.from_seq<=min(?2, ?3) AND NOT EXISTS (SELECT 1" +
         of_owner + "?1 AND v.from_seq<=?3) ORDER BY v.from_seq DESC LIMIT 1))";
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
  // A pointer stood at the newest run that was applied by then; what a branch applied came after its base.
  const auto own = NewestRun(reader, moment.branch, name, moment.last_seq());
  return own ? own : NewestRun(reader, 1, name, std::min(moment.base_seq, moment.last_seq()));
}

}  // namespace heliograph::server
