#include "server/analytics/clusters/mesh_jobs.h"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_reader.h"
#include "server/analytics/clusters/resolution.h"
#include "server/clusters/constraint_reader.h"
#include "server/state/cluster_rows.h"

namespace heliograph::server {
namespace {

using Json = nlohmann::json;

struct JobParameters {
  PartitionParameters partition;
  MatchRule rule = MatchRule::kMemory;
};

tl::expected<JobParameters, std::string> ReadParameters(const std::string& text,
                                                        PartitionParameters defaults) {
  constexpr std::int64_t kMostPasses = 64, kLargestMinimum = 1000;
  constexpr double kLeastResolution = 1e-6, kMostResolution = 1000;
  const Json json = Json::parse(text, nullptr, false);
  try {
    const JsonReader reader(json);
    JobParameters parameters{defaults, MatchRule::kMemory};
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

}  // namespace

bool MeshJobs::IsReady() const {
  const auto neighbors = board_.Current();
  return neighbors && !neighbors->from_database && !neighbors->graph.edges.empty() && view_() != nullptr;
}

tl::expected<ClusterJobResult, std::string> MeshJobs::Compute(const ClusterJobOrder& order,
                                                              JobProgress& progress,
                                                              std::stop_token stop) const {
  if (order.collection != ClusterCollection::kMesh)
    return tl::unexpected(std::string("this server groups no items: only the collection mesh is computed"));
  const auto parameters = ReadParameters(order.parameters, defaults_);
  if (!parameters) return tl::unexpected(parameters.error());
  const auto neighbors = board_.Current();
  const auto view = view_();
  if (!neighbors || neighbors->from_database || !view)
    return tl::unexpected(std::string("the packets have not all been read yet; ask again in a minute"));
  if (neighbors->graph.edges.empty())
    return tl::unexpected(std::string("nobody is known to hear anybody yet"));
  switch (order.kind) {
    case ClusterJobKind::kRun:
      progress.Report("partition", 0);
      return Divide(*neighbors, *view, parameters->partition, parameters->rule, order.line, std::move(stop));
    case ClusterJobKind::kChooseResolution:
      break;
  }
  return Choose(*neighbors, *view, parameters->partition, progress, std::move(stop));
}

tl::expected<ClusterJobResult, std::string> MeshJobs::Divide(const NeighborView& neighbors,
                                                             const MeshView& view,
                                                             const PartitionParameters& parameters,
                                                             MatchRule rule, const BranchLine& line,
                                                             std::stop_token stop) const {
  const auto begin = std::chrono::steady_clock::now();
  const auto [active, constraints] = readers_.Read([&](ReaderConnection& connection) {
    const ClusterMoment moment = ClusterMomentOn(line, std::nullopt);
    return std::pair(ReadActiveMeshRun(connection, moment),
                     ConstraintsAt(connection, moment, ClusterCollection::kMesh));
  });
  auto run = ComputeMeshRun(neighbors.graph, view, parameters, active ? active->groups : FormerGroups(),
                            constraints, may_be_named_, std::move(stop));
  if (!run) return tl::unexpected(run.error().text);
  run->match_rule = rule;
  Json statistics{{"edges", neighbors.graph.edges.size()}, {"duration_ms", MillisSince(begin)}};
  ClusterJobResult result;
  if (active && Repeats(*run, *active)) {
    statistics["unchanged"] = true;
    statistics["run"] = active->run;
  } else {
    result.snapshot = std::move(*run);
  }
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
