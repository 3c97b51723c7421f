#pragma once

#include <optional>
#include <vector>

#include "common/identity_key.h"
#include "common/path_hash.h"
#include "common/time.h"
#include "server/analytics/flood.h"
#include "server/analytics/relay_evidence.h"
#include "server/analytics/station_directory.h"

namespace heliograph::server {

/// One path of a flood, with all that is known around it.
struct HopContext {
  std::optional<IdentityKey> origin;    ///< who signed the packet
  std::optional<IdentityKey> observer;  ///< who heard the last hop
  UtcMillis time{};
};

/// Tells which known nodes the hops of a flood can be, and how probably. The one answer to that question.
///
/// A hop is weighed against all who write themselves so and against an unheard node: as many unheard nodes
/// are assumed as are known. What counts: how often each was heard after the one before it and before the one
/// after it (and the observer), the distance between positions that they tell, the role, whether it is heard
/// of at that time, and the observer's region. All hops of a flood are weighed together: exact inference on
/// its tree of sendings.
///
/// A view of a directory and of evidence, which outlive it and are not changed while it resolves. Const
/// members may be called from several threads at once.
class HopResolver {
 public:
  HopResolver(const StationDirectory& stations, const RelayEvidence& evidence)
      : stations_(stations), evidence_(evidence) {}

  /// The candidates of each step. The packet's signer is never a candidate. At most kMaxCandidates for each.
  void Resolve(const Flood& flood, ResolvedSteps& out) const;

  /// The same for one path, hop by hop. REQUIRED: all hops have the same size.
  ResolvedSteps ResolvePath(const std::vector<PathHash>& hops, const HopContext& context) const;

  static constexpr std::size_t kMaxCandidates = 6;

 private:
  const StationDirectory& stations_;
  const RelayEvidence& evidence_;
};

}  // namespace heliograph::server
