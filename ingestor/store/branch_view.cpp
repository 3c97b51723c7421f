#include "ingestor/store/branch_view.h"

#include <stdexcept>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

BranchView BranchView::Of(SQLite::Database& database, BranchId branch) {
  const auto number = static_cast<std::int64_t>(branch);
  SQLite::Statement row(database,
                        "SELECT coalesce(base_seq, 0) FROM branch WHERE branch_id=? AND state='live'");
  if (!RowBinder(row).Integer(number).Step())
    throw std::out_of_range("there is no live branch " + std::to_string(number));
  return {branch, row.getColumn(0).getInt64()};
}

std::string OpenIntervals(const std::string& table, const std::string& key) {
  return "(SELECT * FROM " + table + " WHERE branch_id=?1 AND to_seq IS NULL UNION ALL SELECT * FROM " +
         table +
         " AS m WHERE ?1<>1 AND m.branch_id=1 AND m.from_seq<=?2 AND (m.to_seq IS NULL OR m.to_seq>?2)"
         " AND NOT EXISTS (SELECT 1 FROM " +
         table + " AS o WHERE o.branch_id=?1 AND o." + key + "=m." + key + "))";
}

}  // namespace heliograph::ingestor
