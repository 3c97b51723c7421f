#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/time.h"
#include "server/analytics/capability_evidence.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Read pages of the two large tables, in the order of their ids, in the caller's read transaction. True when
/// the page was full. Throw SQLite::Exception; the rows that were visited before are read all the same.

/// Calls `visit` for each observation above `after` whose transmission is there, at most `limit`. The
/// reception's path is valid during the call; its origin_key is null.
bool ReadObservations(ReaderConnection& connection, std::int64_t after, std::size_t limit,
                      const std::function<void(Reception&)>& visit);

/// Calls `visit` with the id and the time of the first reception of each transmission above `after`, at most
/// `limit`.
bool ReadTransmissionTimes(ReaderConnection& connection, std::int64_t after, std::size_t limit,
                           const std::function<void(std::int64_t, UtcMillis)>& visit);

}  // namespace heliograph::server
