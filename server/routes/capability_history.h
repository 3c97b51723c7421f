#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/public_key.h"
#include "common/time.h"
#include "server/history/as_of.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A node's capability as it was versioned: of NodeCapability only what has a history.
struct DatedCapability {
  PublicKey public_key;
  NodeCapability capability;
};
/// Every node that the line had a capability for at `seq`, sorted by key. What a branch has not written
/// itself it sees as main had it at the branch's base. The reader must be in a transaction; SQLite::Exception
/// passes through, here and below.
std::vector<DatedCapability> CapabilitiesAt(ReaderConnection& reader, const BranchLine& line,
                                            std::int64_t seq);

/// How long one capability held.
struct CapabilityInterval {
  std::int64_t from_seq = 0;
  std::string from_commit;
  UtcMillis from_time{};
  std::optional<std::int64_t> to_seq;  ///< nothing: it holds still
  std::optional<std::string> to_commit;
  std::optional<UtcMillis> to_time;
  NodeCapability capability;
};
struct CapabilityHistory {
  std::vector<CapabilityInterval> intervals;  ///< oldest first
  bool truncated = false;                     ///< older ones exist
};
/// The newest intervals of a node on main, at most `limit`. With `as_of`, as they stood at that commit.
CapabilityHistory HistoryOf(ReaderConnection& reader, const PublicKey& key,
                            const std::optional<CommitMoment>& as_of, std::size_t limit);

}  // namespace heliograph::server
