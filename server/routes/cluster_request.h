#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/clusters/cluster_reader.h"
#include "server/history/as_of.h"
#include "server/http/request.h"
#include "server/http/route.h"

namespace heliograph::server {

/// Where and when a request about clusters asks, with what an answer says about it.
struct AskedMoment {
  ClusterMoment moment;
  std::int64_t head_seq = 0;  ///< of main: what a correction may be based on
  std::optional<CommitMoment> as_of;
};

/// Documentation of `collection`, `branch` and `as_of`.
std::vector<ParameterDoc> MomentDocs();

/// Reads `collection`; mesh when it is absent. Throws ProblemError(400) for another one.
ClusterCollection CollectionParameter(const Request& request);

/// Reads `branch` and `as_of`. Throws as BranchParameter and ResolveAsOf. The reader must be in a
/// transaction.
AskedMoment ReadMoment(const Request& request, ReaderConnection& reader);

/// The track that `{id}` of the path names, merged or not. Throws ProblemError(404) when there is none.
ClusterTrack TrackInPath(const Request& request, ReaderConnection& reader, const ClusterMoment& moment);

/// Throws ProblemError(410) when the run was thinned out.
void RequireWhole(ReaderConnection& reader, std::int64_t run);

}  // namespace heliograph::server
