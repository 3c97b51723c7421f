#include "server/analytics/clusters/mesh_jobs.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/json_reader.h"
#include "server/analytics/clusters/resolution.h"
#include "server/clusters/constraint_reader.h"
#include "server/state/cluster_rows.h"

namespace heliograph::server {
namespace {

using Json = nlohmann::json;

tl::expected<MeshDivision, std::string> ReadParameters(const std::string& text, MeshDivision defaults) {
  constexpr std::int64_t kMostPasses = 64, kLargestMinimum = 1000;
  constexpr double kLeastResolution = 1e-6, kMostResolution = 1000;
  const Json json = Json::parse(text, nullptr, false);
  try {
    const JsonReader reader(json);
    MeshDivision parameters = defaults;
    if (reader.Has("resolution"))
      parameters.partition.resolution = reader.Number("resolution", kLeastResolution, kMostResolution);
    if (reader.Has("runs"))
      parameters.partition.runs = static_cast<int>(reader.Integer("runs", 1, kMostPasses));
    if (reader.Has("min_size"))
      parameters.partition.min_size =
          static_cast<std::size_t>(reader.Integer("min_size", 1, kLargestMinimum));
    if (reader.Has("match_rule")) {
      const auto rule = ParseMatchRule(reader.Text("match_rule"));
      if (!rule) throw JsonFault{"match_rule is neither memory nor plain-jaccard"};
      parameters.rule = *rule;
    }
    reader.RefuseAllBut({"resolution", "runs", "min_size", "match_rule"});
    return parameters;
  } catch (const JsonFault& fault) {
    return tl::unexpected("parameters: " + fault.text);
  }
}

std::int64_t MillisSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// Where a run begins.
struct Beginning {
  std::string epoch;
  std::int64_t head_seq = 0;
  std::optional<ActiveClusterRun> active;
  PartitionConstraints constraints;
};

Beginning ReadBeginning(ReaderConnection& connection, const BranchLine& line) {
  SQLite::Statement& row = connection.Prepared(
      "SELECT (SELECT value FROM meta WHERE key = 'epoch'),"
      " (SELECT head_seq FROM branch WHERE branch_id = ?)");
  row.bind(1, line.branch_id);
  row.executeStep();
  const ClusterMoment moment = ClusterMomentOn(line, std::nullopt);
  Beginning beginning{row.getColumn(0).getString(), row.getColumn(1).getInt64(), std::nullopt, {}};
  beginning.active = ReadActiveMeshRun(connection, moment);
  beginning.constraints = ConstraintsAt(connection, moment, ClusterCollection::kMesh);
  return beginning;
}

/// The figures of a job that the ingestor does not count.
Json StatisticsOf(const ClusterSnapshot& run, const std::optional<ActiveClusterRun>& active) {
  std::vector<std::string> keys = run.unclustered;
  std::size_t clustered = 0, missing = 0;
  for (const SnapshotCluster& cluster : run.clusters) {
    clustered += cluster.members.size();
    for (const SnapshotMember& member : cluster.members) keys.push_back(member.key);
  }
  std::sort(keys.begin(), keys.end());
  if (active)
    for (const auto& group : active->groups)
      missing += static_cast<std::size_t>(std::count_if(group.begin(), group.end(), [&](const auto& key) {
        return !std::binary_search(keys.begin(), keys.end(), key);
      }));
  return {{"clusters", run.clusters.size()},
          {"clustered", clustered},
          {"unclustered", run.unclustered.size()},
          {"missing", missing}};
}

}  // namespace

MeshDivision MeshDivisionOf(const Config& config) {
  MeshDivision division;
  division.partition.resolution = config.clusters.resolution;
  division.partition.runs = config.clusters.runs;
  division.partition.min_size = config.clusters.min_size;
  division.rule = config.clusters.match_rule;
  return division;
}

bool MeshJobs::IsReady() const {
  const auto neighbors = board_.Current();
  return neighbors && !neighbors->from_database && !neighbors->graph.edges.empty() && view_() != nullptr;
}

std::optional<std::string> MeshJobs::Objection(const ClusterJobOrder& order) const {
  if (order.collection != ClusterCollection::kMesh)
    return "this server groups no items: only the collection mesh is computed";
  const auto parameters = ReadParameters(order.parameters, defaults_);
  return parameters ? std::nullopt : std::optional(parameters.error());
}

tl::expected<ClusterJobResult, std::string> MeshJobs::Compute(const ClusterJobOrder& order,
                                                              JobProgress& progress,
                                                              std::stop_token stop) const {
  if (auto objection = Objection(order)) return tl::unexpected(std::move(*objection));
  const MeshDivision division = ReadParameters(order.parameters, defaults_).value();
  const auto neighbors = board_.Current();
  const auto view = view_();
  if (!neighbors || neighbors->from_database || !view)
    return tl::unexpected(std::string("the packets have not all been read yet; ask again in a minute"));
  if (neighbors->graph.edges.empty())
    return tl::unexpected(std::string("nobody is known to hear anybody yet"));
  switch (order.kind) {
    case ClusterJobKind::kRun:
      progress.Report("partition", 0);
      return Divide(*neighbors, *view, division, order.line, std::move(stop));
    case ClusterJobKind::kChooseResolution:
      break;
  }
  return Choose(*neighbors, *view, division.partition, progress, std::move(stop));
}

tl::expected<ClusterJobResult, std::string> MeshJobs::Divide(const NeighborView& neighbors,
                                                             const MeshView& view,
                                                             const MeshDivision& division,
                                                             const BranchLine& line,
                                                             std::stop_token stop) const {
  const auto start = std::chrono::steady_clock::now();
  const Beginning beginning =
      readers_.Read([&](ReaderConnection& connection) { return ReadBeginning(connection, line); });
  if (beginning.epoch != neighbors.graph.epoch)
    return tl::unexpected(std::string("the database was replaced by another one; ask again in a minute"));
  const auto& active = beginning.active;
  auto run =
      ComputeMeshRun(neighbors.graph, view, division.partition, active ? active->groups : FormerGroups(),
                     beginning.constraints, may_be_named_, std::move(stop));
  if (!run) return tl::unexpected(run.error().text);
  run->match_rule = division.rule;
  Json statistics = StatisticsOf(*run, active);
  statistics["edges"] = neighbors.graph.edges.size();
  ClusterJobResult result;
  result.epoch = beginning.epoch;
  result.base_seq = beginning.head_seq;
  if (active && Repeats(*run, *active)) {
    statistics.update(
        {{"unchanged", true}, {"run", active->run}, {"new", 0}, {"updated", 0}, {"dissolved", 0}});
  } else {
    result.snapshot = std::move(*run);
  }
  statistics["duration_ms"] = MillisSince(start);
  result.statistics = statistics.dump();
  return result;
}

tl::expected<ClusterJobResult, std::string> MeshJobs::Choose(const NeighborView& neighbors,
                                                             const MeshView& view,
                                                             const PartitionParameters& parameters,
                                                             JobProgress& progress,
                                                             std::stop_token stop) const {
  const auto begin = std::chrono::steady_clock::now();
  ResolutionSearch search;
  search.parameters = parameters;
  search.progress = [&](std::size_t done, std::size_t all) {
    progress.Report("resolutions", static_cast<double>(done) / static_cast<double>(all));
  };
  const auto choice = ChooseResolution(MeshItems(neighbors.graph, view), search, std::move(stop));
  if (!choice) return tl::unexpected(choice.error().text);
  Json trials = Json::array();
  for (const ResolutionTrial& trial : choice->trials) {
    trials.push_back({{"resolution", trial.resolution},
                      {"stability", trial.stability},
                      {"standard_error", trial.standard_error},
                      {"clusters", trial.clusters},
                      {"unclustered", trial.unclustered},
                      {"quality", trial.quality}});
  }
  ClusterJobResult result;
  result.statistics = Json{{"resolution", choice->resolution},
                           {"trials", std::move(trials)},
                           {"duration_ms", MillisSince(begin)}}
                          .dump();
  return result;
}

}  // namespace heliograph::server
