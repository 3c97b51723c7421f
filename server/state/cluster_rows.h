#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster_snapshot.h"
#include "common/crypto.h"
#include "common/time.h"
#include "server/clusters/cluster_moment.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The active run of a collection, as the next one begins from it.
struct ActiveClusterRun {
  std::int64_t run = 0;
  UtcMillis computed_at{};
  std::int64_t watermark = 0;
  Sha256Digest input_digest{};
  std::string algorithm, parameters;
  MatchRule match_rule{};
  std::vector<std::vector<std::string>> groups;  ///< the members' keys by cluster
};

/// True when the run says of its input what the active one said already: the same input, divided and to be
/// matched in the same way.
bool Repeats(const ClusterSnapshot& run, const ActiveClusterRun& active);

/// Nothing before the first run. A branch without a run of its own has the one that main had at its base.
/// Runs in the caller's read transaction; throws SQLite::Exception.
std::optional<ActiveClusterRun> ReadActiveMeshRun(ReaderConnection& connection,
                                                  const ClusterMoment& moment = {});

}  // namespace heliograph::server
