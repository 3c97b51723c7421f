#include "server/analytics/clusters/mesh_run.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/text.h"
#include "server/analytics/clusters/community_graph.h"
#include "server/analytics/station_directory.h"

namespace heliograph::server {
namespace {

constexpr const char* kAlgorithm = "leiden-consensus/1";
constexpr std::chrono::hours kRecent{24};
constexpr std::size_t kMaxNameBytes = 100;

/// A member with what is told of it, and how much of its weight is in the cluster.
struct Standing {
  const NodeView* node = nullptr;  ///< null for an observer that is no node
  const std::string* key = nullptr;
  double inside = 0;
};

/// The members of the cluster, the strongest first; ties by key.
std::vector<Standing> Rank(const ItemGraph& graph, const Cluster& cluster, const MeshView& view) {
  std::vector<Standing> standings;
  for (const ClusterMember& member : cluster.members) {
    const std::string& key = graph.keys()[member.vertex];
    standings.push_back({view.FindNode(PublicKey::FromHex(key).value()), &key,
                         member.strength * graph.StrengthOf(member.vertex)});
  }
  std::stable_sort(standings.begin(), standings.end(),
                   [](const Standing& a, const Standing& b) { return a.inside > b.inside; });
  return standings;
}

std::string Representative(const std::vector<Standing>& ranked, const MeshView& view) {
  for (const Standing& standing : ranked) {
    if (standing.node && (!view.data_time || standing.node->last_seen >= *view.data_time - kRecent))
      return *standing.key;
  }
  return *ranked.front().key;
}

/// A name as a title may have it.
std::string Printable(std::string_view name) {
  return std::string(TruncateUtf8(TrimSpace(ToPrintable(name)), kMaxNameBytes));
}

std::string Label(const std::vector<Standing>& ranked) {
  std::string label;
  int names = 0;
  for (const Standing& standing : ranked) {
    if (names == 2 || !standing.node || !standing.node->name || !ForwardsByDefault(standing.node->role))
      continue;
    const std::string name = Printable(*standing.node->name);
    if (name.empty()) continue;
    label += (names++ == 0 ? "" : " / ") + name;
  }
  if (names > 0) return label;
  std::map<std::string, int> regions;
  for (const Standing& standing : ranked) {
    if (!standing.node) continue;
    for (const std::string& region : standing.node->regions) ++regions[region];
  }
  const auto common = std::max_element(regions.begin(), regions.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return common == regions.end() ? "" : Printable(common->first);
}

SnapshotCluster Describe(const ItemGraph& graph, const Cluster& cluster, const MeshView& view) {
  const std::vector<Standing> ranked = Rank(graph, cluster, view);
  SnapshotCluster described;
  for (const ClusterMember& member : cluster.members)
    described.members.push_back({graph.keys()[member.vertex], member.strength});
  described.representative = Representative(ranked, view);
  described.cohesion = 1 - cluster.conductance;
  described.label = Label(ranked);
  return described;
}

std::string ParametersOf(const PartitionParameters& parameters) {
  return nlohmann::json{
      {"objective", parameters.objective == Objective::kModularity ? "modularity" : "potts"},
      {"resolution", parameters.resolution},
      {"runs", parameters.runs},
      {"iterations", parameters.iterations},
      {"min_size", parameters.min_size}}
      .dump();
}

}  // namespace

ItemGraph MeshItems(const NeighborGraph& neighbors, const MeshView& view) {
  const ItemGraph linked = AsCommunityGraph(neighbors);
  std::vector<std::string> keys = linked.keys();
  for (const auto& node : view.nodes) {
    const std::string key = node->public_key.ToHex();
    if (node->active && !std::binary_search(linked.keys().begin(), linked.keys().end(), key))
      keys.push_back(key);
  }
  // Keys are distinct and weights positive, so it is accepted.
  return ItemGraph::Build(std::move(keys), linked.edges()).value();
}

tl::expected<ClusterSnapshot, PartitionError> ComputeMeshRun(
    const NeighborGraph& neighbors, const MeshView& view, const PartitionParameters& parameters,
    const FormerGroups& former, const PartitionConstraints& constraints, std::stop_token stop) {
  const ItemGraph graph = MeshItems(neighbors, view);
  const auto partition = DivideUnder(constraints, graph, parameters, former, std::move(stop));
  if (!partition) return tl::unexpected(partition.error());
  ClusterSnapshot snapshot;
  snapshot.collection = ClusterCollection::kMesh;
  snapshot.algorithm = kAlgorithm;
  snapshot.parameters = ParametersOf(parameters);
  snapshot.input_digest = partition->input_digest;
  snapshot.watermark = neighbors.watermark;
  snapshot.data_time = neighbors.data_time;
  for (const Cluster& cluster : partition->clusters)
    snapshot.clusters.push_back(Describe(graph, cluster, view));
  for (const Vertex vertex : partition->unclustered) snapshot.unclustered.push_back(graph.keys()[vertex]);
  snapshot.quality = {{"quality", partition->quality},
                      {"mean_conductance", partition->mean_conductance},
                      {"edges", static_cast<double>(graph.edges().size())}};
  SortSnapshot(snapshot);
  return snapshot;
}

}  // namespace heliograph::server
