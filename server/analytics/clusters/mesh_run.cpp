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
  bool may_be_named = true;
};

/// The members of the cluster, the strongest first; ties by key.
std::vector<Standing> Rank(const ItemGraph& graph, const Cluster& cluster, const MeshView& view,
                           const MayBeNamed& may_be_named) {
  std::vector<Standing> standings;
  for (const ClusterMember& member : cluster.members) {
    const std::string& text = graph.keys()[member.vertex];
    const PublicKey key = PublicKey::FromHex(text).value();
    const NodeView* node = view.FindNode(key);
    standings.push_back(
        {node, &text, member.strength * graph.StrengthOf(member.vertex), may_be_named(key, node)});
  }
  std::stable_sort(standings.begin(), standings.end(),
                   [](const Standing& a, const Standing& b) { return a.inside > b.inside; });
  return standings;
}

/// REQUIRED: `ranked` is not empty.
std::string Representative(const std::vector<Standing>& ranked, const MeshView& view) {
  const Standing* strongest = nullptr;
  for (const Standing& standing : ranked) {
    if (!standing.may_be_named) continue;
    if (standing.node && (!view.data_time || standing.node->last_seen >= *view.data_time - kRecent))
      return *standing.key;
    if (strongest == nullptr) strongest = &standing;
  }
  return strongest != nullptr ? *strongest->key : *ranked.front().key;
}

/// A name as a title may have it.
std::string Printable(std::string_view name) {
  return std::string(TruncateUtf8(TrimSpace(ToPrintable(name)), kMaxNameBytes));
}

std::string Label(const std::vector<Standing>& ranked) {
  std::string label;
  int names = 0;
  for (const Standing& standing : ranked) {
    if (names == 2 || !standing.may_be_named || !standing.node || !standing.node->name ||
        !ForwardsByDefault(standing.node->role))
      continue;
    const std::string name = Printable(*standing.node->name);
    if (name.empty()) continue;
    label += (names++ == 0 ? "" : " / ") + name;
  }
  if (names > 0) return label;
  std::map<std::string, int> regions;
  for (const Standing& standing : ranked) {
    if (!standing.node || !standing.may_be_named) continue;
    for (const std::string& region : standing.node->regions) ++regions[region];
  }
  const auto common = std::max_element(regions.begin(), regions.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return common == regions.end() ? "" : Printable(common->first);
}

SnapshotCluster Describe(const ItemGraph& graph, const Cluster& cluster, const MeshView& view,
                         const MayBeNamed& may_be_named) {
  const std::vector<Standing> ranked = Rank(graph, cluster, view, may_be_named);
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
    const FormerGroups& former, const PartitionConstraints& constraints, const MayBeNamed& may_be_named,
    std::stop_token stop) {
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
    snapshot.clusters.push_back(Describe(graph, cluster, view, may_be_named));
  for (const Vertex vertex : partition->unclustered) snapshot.unclustered.push_back(graph.keys()[vertex]);
  snapshot.quality = {{"quality", partition->quality},
                      {"mean_conductance", partition->mean_conductance},
                      {"edges", static_cast<double>(graph.edges().size())}};
  SortSnapshot(snapshot);
  return snapshot;
}

}  // namespace heliograph::server
