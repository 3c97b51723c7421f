#include "ingestor/store/readiness_store.h"

#include "common/switch_readiness_json.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

ReadinessStore::ReadinessStore(SQLite::Database& database)
    : now_(database,
           "SELECT region, figures FROM switch_readiness WHERE branch_id=? AND to_seq IS NULL AND figures IS "
           "NOT "
           "NULL ORDER BY region"),
      seen_(database,
            "SELECT region, figures FROM switch_readiness WHERE branch_id=?1 AND to_seq IS NULL AND figures "
            "IS NOT NULL"
            " UNION ALL SELECT m.region, m.figures FROM switch_readiness AS m WHERE m.branch_id=1 AND "
            "m.from_seq<=?2"
            " AND (m.to_seq IS NULL OR m.to_seq>?2) AND m.figures IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM switch_readiness AS o WHERE o.branch_id=?1 AND o.region=m.region) ORDER BY 1"),
      close_(database,
             "UPDATE switch_readiness SET to_seq=? WHERE branch_id=? AND region=? AND to_seq IS NULL"),
      open_(database, "INSERT INTO switch_readiness(branch_id, region, from_seq, figures) VALUES (?,?,?,?)") {
}

SwitchReadiness ReadinessStore::Now(BranchId branch) {
  RowBinder(now_).Integer(static_cast<std::int64_t>(branch));
  return Read(now_);
}

SwitchReadiness ReadinessStore::Seen(BranchId branch, CommitSeq base) {
  RowBinder(seen_).Integer(static_cast<std::int64_t>(branch)).Integer(static_cast<std::int64_t>(base));
  return Read(seen_);
}

SwitchReadiness ReadinessStore::Read(SQLite::Statement& rows) {
  SwitchReadiness readiness;
  while (rows.executeStep()) {
    auto scope = DecodeReadinessFigures(rows.getColumn(1).getString());
    if (!scope) continue;
    scope->region = rows.getColumn(0).getString();
    readiness.scopes.push_back(std::move(*scope));
  }
  rows.tryReset();
  return readiness;
}

void ReadinessStore::Change(BranchId branch, const std::string& region,
                            const std::optional<std::string>& figures, CommitSeq commit) {
  RowBinder(close_)
      .Integer(static_cast<std::int64_t>(commit))
      .Integer(static_cast<std::int64_t>(branch))
      .Text(region)
      .Run();
  RowBinder(open_)
      .Integer(static_cast<std::int64_t>(branch))
      .Text(region)
      .Integer(static_cast<std::int64_t>(commit))
      .Text(figures)
      .Run();
}

std::map<std::string, std::optional<std::string>> ChangedFigures(const SwitchReadiness& stored,
                                                                 const SwitchReadiness& said) {
  std::map<std::string, std::optional<std::string>> changes;
  for (const ReadinessScope& scope : said.scopes) {
    const ReadinessScope* known = stored.Find(scope.region);
    if (known == nullptr || DiffersForStorage(*known, scope))
      changes.emplace(scope.region, EncodeReadinessFigures(scope));
  }
  for (const ReadinessScope& scope : stored.scopes)
    if (said.Find(scope.region) == nullptr) changes.emplace(scope.region, std::nullopt);
  return changes;
}

}  // namespace heliograph::ingestor
