#include "server/routes/cluster_request.h"

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/parameter_docs.h"
#include "server/state/row_reader.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

enum class Direction { kBefore, kAfter };

struct WholeRun {
  std::int64_t run = 0, seq = 0;
  std::string commit_id;
};

/// The nearest whole run of the same branch and collection that can still be asked for.
std::optional<WholeRun> NearestWhole(ReaderConnection& reader, std::int64_t run, Direction direction) {
  const bool before = direction == Direction::kBefore;
  SQLite::Statement& row = reader.Prepared(
      std::string("SELECT r.run_id, r.commit_seq, c.commit_id FROM cluster_runs AS t JOIN cluster_runs AS r"
                  " USING(branch_id, collection) JOIN commit_log AS c ON c.commit_seq=r.commit_seq"
                  " WHERE t.run_id=?1 AND r.pruned_at IS NULL AND r.commit_seq>=?2 AND r.commit_seq") +
      (before ? "<t.commit_seq ORDER BY r.commit_seq DESC LIMIT 1"
              : ">t.commit_seq ORDER BY r.commit_seq LIMIT 1"));
  row.bind(1, run);
  row.bind(2, HistoryFloor(reader));
  if (!row.executeStep()) return std::nullopt;
  return WholeRun{row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getString()};
}

std::string JsonOf(const std::optional<WholeRun>& whole) {
  if (!whole) return "null";
  return "{\"run\":" + std::to_string(whole->run) + ",\"commit\":" + JsonQuoted(whole->commit_id) +
         ",\"commit_seq\":" + std::to_string(whole->seq) + "}";
}

}  // namespace

std::vector<ParameterDoc> MomentDocs() {
  return {TextDoc("collection", "What is grouped; mesh unless given.", {"mesh", "items"}),
          TextDoc("branch", "The name of a branch; main unless given."), AsOfDoc()};
}

std::vector<ParameterDoc> MomentDocsAnd(std::initializer_list<ParameterDoc> more) {
  std::vector<ParameterDoc> docs = MomentDocs();
  docs.insert(docs.end(), more);
  return docs;
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
  if (const auto text = AsOfText(request)) asked.as_of = ResolveAsOf(reader, *text, line);
  asked.moment = ClusterMomentOn(line, asked.as_of ? std::optional(asked.as_of->seq) : std::nullopt);
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
  const std::string number = std::to_string(run);
  const auto before = NearestWhole(reader, run, Direction::kBefore);
  const auto after = NearestWhole(reader, run, Direction::kAfter);
  std::string detail = "the members of run " + number + " were thinned out";
  if (before || after)
    detail += "; ask as_of commit " + (before ? before : after)->commit_id + ", whose run is kept";
  throw ProblemError(410, detail + "; its decisions are still there: /api/cluster-runs/" + number,
                     "\"code\":\"run_thinned\",\"run\":" + number + ",\"kept_before\":" + JsonOf(before) +
                         ",\"kept_after\":" + JsonOf(after));
}

std::optional<std::int64_t> WholeActiveRun(ReaderConnection& reader, const ClusterMoment& moment,
                                           ClusterCollection collection) {
  const auto run = ActiveRun(reader, moment, collection);
  if (run) RequireWhole(reader, *run);
  return run;
}

ResponseDoc MomentProblemDoc() {
  return ProblemDoc(
      410,
      "The history of that commit is no longer kept (code history_reclaimed, with the floor), or "
      "the members of its run were thinned out (run_thinned, with the nearest that are kept).");
}

}  // namespace heliograph::server
