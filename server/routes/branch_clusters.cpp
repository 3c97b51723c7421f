#include "server/routes/branch_clusters.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "server/clusters/partition_comparison.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/cluster_json.h"
#include "server/routes/cluster_request.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::string_view kPairOrder = "branch/clusters";
constexpr std::string_view kMemberOrder = "branch/members";
constexpr const char* kPairCursor = "clusters_cursor";
constexpr const char* kMemberCursor = "members_cursor";

template <std::size_t N>
std::optional<std::array<std::int64_t, N>> NumbersOfCursor(const Request& request, std::string_view list,
                                                           const char* name) {
  const auto fields = CursorParameter(request, list, N, name);
  if (!fields) return std::nullopt;
  std::array<std::int64_t, N> numbers{};
  for (std::size_t i = 0; i < N; ++i) {
    const auto* number = std::get_if<std::int64_t>(&(*fields)[i]);
    if (number == nullptr)
      throw ProblemError(400, std::string(name) + ": this is no cursor of this list; give it as it was");
    numbers[i] = *number;
  }
  return numbers;
}

/// What a cursor into the pairs holds: the place of the last one in their order.
std::array<std::int64_t, 3> PlaceOf(const ClusterPair& pair) {
  return {-Rank(pair), pair.first.value_or(0), pair.second.value_or(0)};
}

template <std::size_t N>
std::string CursorText(std::string_view list, const std::array<std::int64_t, N>& numbers) {
  std::vector<CursorField> fields(numbers.begin(), numbers.end());
  return EncodeCursor(list, fields);
}

std::optional<ClusterDifference::Run> RunOf(ReaderConnection& reader, const ClusterMoment& moment,
                                            ClusterCollection collection) {
  const auto run = WholeActiveRun(reader, moment, collection);
  if (!run) return std::nullopt;
  SQLite::Statement& row = reader.Prepared(
      "SELECT r.run_id, b.name, c.commit_id, r.algorithm, r.parameters, r.quality, r.cluster_count, "
      "r.member_count, r.unclustered_count FROM cluster_runs AS r JOIN branch AS b USING(branch_id) JOIN "
      "commit_log AS c ON c.commit_seq=r.commit_seq WHERE r.run_id=?");
  row.bind(1, *run);
  row.executeStep();
  return ClusterDifference::Run{
      row.getColumn(0).getInt64(),  row.getColumn(1).getString(), row.getColumn(2).getString(),
      row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getString(),
      row.getColumn(6).getInt64(),  row.getColumn(7).getInt64(),  row.getColumn(8).getInt64()};
}

/// The tracks of one side, by number. Reads those that it is asked for, once.
class Tracks {
 public:
  /// The reader outlives it.
  Tracks(ReaderConnection& reader, const ClusterMoment& moment) : reader_(reader), moment_(moment) {}
  std::optional<ClusterDifference::Cluster> Find(std::optional<std::int64_t> key, std::int64_t size) const {
    if (!key) return std::nullopt;
    auto found = tracks_.find(*key);
    if (found == tracks_.end()) found = tracks_.emplace(*key, TrackByKey(reader_, moment_, *key)).first;
    const auto& track = found->second;
    if (!track) return std::nullopt;
    return ClusterDifference::Cluster{track->id, track->slug, track->title, size};
  }
  std::optional<std::string> IdOf(std::optional<std::int64_t> key) const {
    const auto found = Find(key, 0);
    return found ? std::optional(found->id) : std::nullopt;
  }

 private:
  ReaderConnection& reader_;
  const ClusterMoment moment_;
  mutable std::map<std::int64_t, std::optional<ClusterTrack>> tracks_;
};

void TakePairs(ClusterDifference& difference, const std::vector<ClusterPair>& pairs, const Request& request,
               const Tracks& main, const Tracks& branch, std::size_t limit) {
  difference.pairs_total = static_cast<std::int64_t>(pairs.size());
  const auto cursor = NumbersOfCursor<3>(request, kPairOrder, kPairCursor);
  auto pair = std::find_if(pairs.begin(), pairs.end(),
                           [&](const ClusterPair& each) { return !cursor || PlaceOf(each) > *cursor; });
  for (; pair != pairs.end() && difference.pairs.size() < limit; ++pair) {
    difference.pairs.push_back({main.Find(pair->first, pair->first_size),
                                branch.Find(pair->second, pair->second_size), pair->shared,
                                pair->first_size - pair->shared, pair->second_size - pair->shared});
  }
  if (pair != pairs.end()) difference.pairs_next = CursorText(kPairOrder, PlaceOf(*std::prev(pair)));
}

void TakeMoves(ClusterDifference& difference, const std::vector<MemberMove>& moved, ReaderConnection& reader,
               const Request& request, const Tracks& main, const Tracks& branch, std::size_t limit) {
  difference.moved_total = static_cast<std::int64_t>(moved.size());
  const auto cursor = NumbersOfCursor<1>(request, kMemberOrder, kMemberCursor);
  SQLite::Statement& name = reader.Prepared(difference.collection == Name(ClusterCollection::kMesh)
                                                ? "SELECT lower(hex(public_key)) FROM identity WHERE key=?"
                                                : "SELECT item_id FROM item_identity WHERE key=?");
  auto move = std::find_if(moved.begin(), moved.end(),
                           [&](const MemberMove& each) { return !cursor || each.member > (*cursor)[0]; });
  for (; move != moved.end() && difference.moved.size() < limit; ++move) {
    name.reset();
    name.bind(1, move->member);
    if (!name.executeStep()) continue;
    difference.moved.push_back(
        {name.getColumn(0).getString(), main.IdOf(move->first), branch.IdOf(move->second)});
  }
  if (move != moved.end())
    difference.moved_next = CursorText(kMemberOrder, std::array<std::int64_t, 1>{std::prev(move)->member});
}

void WriteRun(JsonText& out, const char* side, const std::optional<ClusterDifference::Run>& run) {
  out.Key(side);
  if (!run) {
    out.Null();
    return;
  }
  out.BeginObject()
      .Member("run", run->id)
      .Member("branch", run->branch)
      .Member("commit", run->commit_id)
      .Member("clusters", run->clusters)
      .Member("clustered", run->clustered)
      .Member("unclustered", run->unclustered)
      .Key("quality")
      .Raw(run->quality)
      .Member("algorithm", run->algorithm)
      .Key("parameters")
      .Raw(run->parameters)
      .EndObject();
}

void WriteCluster(JsonText& out, const char* side, const std::optional<ClusterDifference::Cluster>& cluster) {
  out.Key(side);
  if (!cluster) {
    out.Null();
    return;
  }
  out.BeginObject()
      .Member("id", cluster->id)
      .Member("slug", cluster->slug)
      .Member("title", cluster->title)
      .Member("size", cluster->size)
      .EndObject();
}

}  // namespace

std::vector<ParameterDoc> ClusterDifferenceDocs() {
  return {TextDoc("collection", "Of which clusters are compared; mesh unless given.", {"mesh", "items"}),
          TextDoc(kPairCursor, "Where the pairs of clusters go on: clusters.pairs.next of an answer."),
          TextDoc(kMemberCursor, "Where the moved members go on: clusters.moved.next of an answer.")};
}

ClusterDifference CompareClusters(ReaderConnection& reader, const Request& request,
                                  const RouteContext& context, const MeshView& view, const BranchLine& line,
                                  std::size_t limit) {
  const ClusterCollection collection = CollectionParameter(request);
  const ClusterMoment on_main, on_branch = ClusterMomentOn(line, std::nullopt);
  ClusterDifference difference;
  difference.collection = Name(collection);
  difference.main = RunOf(reader, on_main, collection);
  difference.branch = RunOf(reader, on_branch, collection);
  PartitionComparison comparison =
      ComparePartitions(PlacesOf(reader, on_main, collection), PlacesOf(reader, on_branch, collection));
  if (collection == ClusterCollection::kMesh) {
    const auto hidden = HiddenMembers(reader, context, view);
    std::erase_if(comparison.moved, [&](const MemberMove& move) { return hidden.contains(move.member); });
  }
  difference.compared = comparison.compared;
  if (difference.main && difference.branch) difference.adjusted_rand_index = comparison.adjusted_rand_index;
  const Tracks main(reader, on_main), branch(reader, on_branch);
  TakePairs(difference, comparison.pairs, request, main, branch, limit);
  TakeMoves(difference, comparison.moved, reader, request, main, branch, limit);
  return difference;
}

void WriteClusterDifference(JsonText& out, const ClusterDifference& difference) {
  out.BeginObject().Member("collection", difference.collection).Key("measures").BeginObject();
  WriteRun(out, "main", difference.main);
  WriteRun(out, "branch", difference.branch);
  out.Member("members_compared", difference.compared)
      .Member("adjusted_rand_index", difference.adjusted_rand_index)
      .EndObject();
  out.Key("pairs").BeginObject().Key("clusters").BeginArray();
  for (const ClusterDifference::Pair& pair : difference.pairs) {
    out.BeginObject();
    WriteCluster(out, "main", pair.main);
    WriteCluster(out, "branch", pair.branch);
    out.Member("shared", pair.shared).Member("left", pair.left).Member("joined", pair.joined).EndObject();
  }
  out.EndArray().Member("total", difference.pairs_total).Member("next", difference.pairs_next).EndObject();
  out.Key("moved").BeginObject().Key("members").BeginArray();
  for (const ClusterDifference::Move& move : difference.moved)
    out.BeginObject()
        .Member("key", move.key)
        .Member("main", move.main)
        .Member("branch", move.branch)
        .EndObject();
  out.EndArray().Member("total", difference.moved_total).Member("next", difference.moved_next).EndObject();
  out.EndObject();
}

}  // namespace heliograph::server
