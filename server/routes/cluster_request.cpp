#include "server/routes/cluster_request.h"

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/parameter_docs.h"
#include "server/state/row_reader.h"
#include "server/state/row_values.h"

namespace heliograph::server {

std::vector<ParameterDoc> MomentDocs() {
  return {TextDoc("collection", "What is grouped; mesh unless given.", {"mesh", "items"}),
          TextDoc("branch", "The name of a branch; main unless given."), AsOfDoc()};
}

ClusterCollection CollectionParameter(const Request& request) {
  return EnumParameter<ClusterCollection>(
             request, "collection",
             {{"mesh", ClusterCollection::kMesh}, {"items", ClusterCollection::kItems}})
      .value_or(ClusterCollection::kMesh);
}

AskedMoment ReadMoment(const Request& request, ReaderConnection& reader) {
  AskedMoment asked;
  asked.head_seq = ReadHead(reader);
  const BranchLine line = BranchParameter(reader, request);
  asked.moment.branch = line.branch_id;
  asked.moment.base_seq = line.base_seq.value_or(0);
  if (const auto text = AsOfText(request)) {
    asked.as_of = ResolveAsOf(reader, *text, line);
    asked.moment.as_of_seq = asked.as_of->seq;
  }
  return asked;
}

ClusterTrack TrackInPath(const Request& request, ReaderConnection& reader, const ClusterMoment& moment) {
  const std::string& name = request.PathParameter("id");
  auto track = FindTrack(reader, moment, name);
  if (!track)
    throw ProblemError(404, "there is no cluster with the id, slug or alias " + name + " at this moment");
  return *track;
}

void RequireWhole(ReaderConnection& reader, std::int64_t run) {
  SQLite::Statement& row = reader.Prepared("SELECT pruned_at IS NULL FROM cluster_runs WHERE run_id=?");
  row.bind(1, run);
  if (row.executeStep() && row.getColumn(0).getInt() != 0) return;
  throw ProblemError(410, "the members of run " + std::to_string(run) +
                              " were thinned out; its decisions are still there: /api/cluster-runs/" +
                              std::to_string(run));
}

}  // namespace heliograph::server
