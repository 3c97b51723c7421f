#pragma once

#include <optional>
#include <string>

#include "common/ulid.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// What the ingestor made of a queue file, in its own words.
struct LedgerOutcome {
  std::string name;    ///< "applied"
  std::string reason;  ///< may be empty
};

/// Nothing when the ledger has no row of that id. Reads in the caller's transaction; SQLite::Exception passes
/// through.
std::optional<LedgerOutcome> OutcomeOf(ReaderConnection& reader, const Ulid& id);

}  // namespace heliograph::server
