#include "ingestor/store/readiness_store.h"

#include "common/switch_readiness_json.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {

ReadinessStore::ReadinessStore(SQLite::Database& database)
    : now_(database,
           "SELECT region, figures FROM switch_readiness WHERE branch_id=? AND to_seq IS NULL AND figures IS "
           "NOT "
           "NULL ORDER BY region"),
      close_(database,
             "UPDATE switch_readiness SET to_seq=? WHERE branch_id=? AND region=? AND to_seq IS NULL"),
      open_(database, "INSERT INTO switch_readiness(branch_id, region, from_seq, figures) VALUES (?,?,?,?)") {
}

SwitchReadiness ReadinessStore::Now(BranchId branch) {
  SwitchReadiness readiness;
  RowBinder row(now_);
  row.Integer(static_cast<std::int64_t>(branch));
  while (row.Step()) {
    auto scope = DecodeReadinessFigures(now_.getColumn(1).getString());
    if (!scope) continue;
    scope->region = now_.getColumn(0).getString();
    readiness.scopes.push_back(std::move(*scope));
  }
  now_.tryReset();
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
