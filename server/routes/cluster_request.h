#pragma once

#include <initializer_list>
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

  /// What a correction of what is shown would be based on; nothing on a branch.
  std::optional<std::int64_t> base() const {
    if (moment.branch != 1) return std::nullopt;
    return as_of ? as_of->seq : head_seq;
  }
};

/// Documentation of `collection`, `branch` and `as_of`.
std::vector<ParameterDoc> MomentDocs();
/// Those, and more.
std::vector<ParameterDoc> MomentDocsAnd(std::initializer_list<ParameterDoc> more);

/// Reads `collection`; mesh when it is absent. Throws ProblemError(400) for another one.
ClusterCollection CollectionParameter(const Request& request);

/// Reads `branch` and `as_of`. Throws as BranchParameter and ResolveAsOf. The reader must be in a
/// transaction.
AskedMoment ReadMoment(const Request& request, ReaderConnection& reader);

/// The track that `{id}` of the path names, merged or not, and not measured. Throws ProblemError(404) when
/// there is none.
ClusterTrack TrackInPath(const Request& request, ReaderConnection& reader, const ClusterMoment& moment);

/// Throws ProblemError(410) when the run was thinned out, with the members `code` ("run_thinned"), `run`, and
/// `kept_before` and `kept_after`: the nearest runs of its line that are whole, each with the commit that
/// as_of reaches it by, or null.
void RequireWhole(ReaderConnection& reader, std::int64_t run);

/// The run that is the active one at the moment, or nothing before the first. Throws as RequireWhole.
std::optional<std::int64_t> WholeActiveRun(ReaderConnection& reader, const ClusterMoment& moment,
                                           ClusterCollection collection);

/// Documentation of the answer 410 to a question about members as of a commit.
ResponseDoc MomentProblemDoc();

}  // namespace heliograph::server
