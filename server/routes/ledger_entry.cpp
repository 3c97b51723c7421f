#include "server/routes/ledger_entry.h"

#include <algorithm>

#include "server/http/problem.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

std::optional<LedgerEntry> LoadEntry(ReaderPool& readers, const Ulid& id) {
  return readers.Read([&](ReaderConnection& reader) -> std::optional<LedgerEntry> {
    SQLite::Statement& row = reader.Prepared(
        "SELECT l.kind, l.outcome, l.reason, c.commit_id, l.created_at, l.applied_at, l.result "
        "FROM ledger AS l LEFT JOIN commit_log AS c ON c.commit_seq = l.commit_seq WHERE l.id = ?");
    row.bind(1, id.ToText());
    if (!row.executeStep()) return std::nullopt;
    LedgerEntry entry;
    entry.id = id;
    entry.kind = TextOf(row.getColumn(0)).value_or("");
    entry.outcome = row.getColumn(1).getString();
    entry.reason = TextOf(row.getColumn(2));
    entry.commit_id = TextOf(row.getColumn(3));
    entry.created_at = OptionalTimeOf(row.getColumn(4));
    entry.applied_at = TimeOf(row.getColumn(5));
    entry.result = TextOf(row.getColumn(6));
    return entry;
  });
}

}  // namespace

std::optional<LedgerEntry> FindOutcome(const RouteContext& context, const Ulid& id) {
  // In this order: a file that is taken meanwhile is in the ledger before it leaves the queue.
  const bool is_pending = context.services().requests->IsPending(id);
  auto entry = LoadEntry(*context.services().readers, id);
  if (!entry && !is_pending) {
    throw ProblemError(404, "neither the queue nor the ledger knows the request " + id.ToText());
  }
  return entry;
}

Ulid ReadRequestId(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto id = Ulid::Parse(text);
  if (!id) {
    throw ProblemError(
        400, "'" + text + "' is no id of a request: those have 26 digits and letters, as in requestId");
  }
  return *id;
}

}  // namespace heliograph::server
