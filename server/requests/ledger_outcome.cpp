#include "server/requests/ledger_outcome.h"

namespace heliograph::server {

std::optional<LedgerOutcome> OutcomeOf(ReaderConnection& reader, const Ulid& id) {
  SQLite::Statement& row = reader.Prepared("SELECT outcome, coalesce(reason, '') FROM ledger WHERE id=?");
  row.bind(1, id.ToText());
  if (!row.executeStep()) return std::nullopt;
  return LedgerOutcome{row.getColumn(0).getString(), row.getColumn(1).getString()};
}

}  // namespace heliograph::server
