#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/time.h"
#include "common/ulid.h"
#include "server/http/request.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// What became of a queue file: its row in the ledger or, for one that was set aside unread, its reason.
struct LedgerEntry {
  Ulid id;
  std::string kind, outcome;
  std::optional<std::string> reason;
  std::optional<std::string> commit_id;
  std::optional<UtcMillis> created_at;
  UtcMillis applied_at{};
  std::optional<std::string> result;  ///< JSON

  /// True when what was asked for has been done, or was so already.
  bool succeeded() const { return outcome == "applied" || outcome == "done" || outcome == "noop"; }
};

/// Where a request is: its entry, or nothing while it waits in the queue. Throws ProblemError: 404 when
/// neither the queue, nor the ledger, nor what was set aside knows it, 503 as RequestPublisher::IsPending,
/// and as ReaderPool::Read.
std::optional<LedgerEntry> FindOutcome(const RouteContext& context, const Ulid& id);

/// The id that a person sent, in any case. Throws ProblemError(400) when it is none.
Ulid ReadRequestId(std::string text);

}  // namespace heliograph::server
