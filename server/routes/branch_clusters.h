#pragma once

#include <vector>

#include "server/history/branch_line.h"
#include "server/http/request.h"
#include "server/http/route.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// How the clusters of a branch differ from those of main, now.
struct ClusterDifference {
  /// A run with what was measured of it.
  struct Run {
    std::int64_t id = 0;
    std::string branch, commit_id, algorithm, parameters, quality;  ///< the last two are JSON objects
    std::int64_t clusters = 0, clustered = 0, unclustered = 0;
  };
  struct Cluster {
    std::string id, slug, title;
    std::int64_t size = 0;
  };
  struct Pair {
    std::optional<Cluster> main, branch;
    std::int64_t shared = 0, left = 0, joined = 0;
  };
  struct Move {
    std::string key;
    std::optional<std::string> main, branch;  ///< ids of clusters
  };

  std::string collection;
  std::optional<Run> main, branch;
  std::int64_t compared = 0;
  std::optional<double> adjusted_rand_index;  ///< nothing while one of the two has no run
  std::vector<Pair> pairs;
  std::int64_t pairs_total = 0;
  std::optional<std::string> pairs_next;
  std::vector<Move> moved;
  std::int64_t moved_total = 0;
  std::optional<std::string> moved_next;
};

/// The parameters `collection`, `clusters_cursor` and `members_cursor`.
std::vector<ParameterDoc> ClusterDifferenceDocs();

/// Reads those parameters, and compares: at most `limit` pairs of clusters and as many members. Hidden nodes
/// are not among the members. Throws ProblemError(400) for a wrong parameter, and as WholeActiveRun. The
/// reader must be in a transaction.
ClusterDifference CompareClusters(ReaderConnection& reader, const Request& request,
                                  const RouteContext& context, const MeshView& view, const BranchLine& line,
                                  std::size_t limit);

/// As a JSON object.
void WriteClusterDifference(JsonText& out, const ClusterDifference& difference);

}  // namespace heliograph::server
