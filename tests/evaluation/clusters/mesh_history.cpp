#include "tests/evaluation/clusters/mesh_history.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "server/analytics/clusters/community_graph.h"

namespace heliograph::evaluation {
namespace {

using Json = nlohmann::json;

PlantedEvent::Kind KindOf(const std::string& name) {
  if (name == "merge") return PlantedEvent::Kind::kMerge;
  if (name == "split") return PlantedEvent::Kind::kSplit;
  if (name == "birth") return PlantedEvent::Kind::kBirth;
  if (name == "death") return PlantedEvent::Kind::kDeath;
  throw std::runtime_error("there is no kind of event called " + name);
}

/// Numbers for names, in the order in which they come.
class Numbering {
 public:
  int Of(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<int>(numbers_.size())).first->second;
  }
  int Of(const Json& name) { return name.is_null() ? -1 : Of(name.get<std::string>()); }
  std::size_t size() const { return numbers_.size(); }

 private:
  std::map<std::string, int> numbers_;
};

class Reader {
 public:
  MeshHistory Read(const Json& document, double tolerance_hours) {
    MeshHistory mesh;
    mesh.hours = document.at("hours");
    mesh.history.tolerance = static_cast<std::size_t>(std::lround(tolerance_hours / mesh.hours));
    for (const Json& step : document.at("steps")) AddStep(step, mesh);
    for (const Json& event : document.at("events")) AddEvent(event, mesh);
    for (const Json& event : document.at("reported")) AddReport(event, mesh);
    mesh.history.groups_made = static_cast<int>(communities_.size());
    const auto steps = static_cast<double>(std::max<std::size_t>(1, mesh.history.moments.size()));
    mesh.partition.ari /= steps;
    mesh.partition.ami /= steps;
    if (!mesh.history.moments.empty()) AddLinks(document.at("links"), mesh);
    mesh.by_score.events = mesh.history.events;
    mesh.by_score.groups_made = mesh.history.groups_made;
    mesh.by_score.tolerance = mesh.history.tolerance;
    return mesh;
  }

 private:
  void AddStep(const Json& step, MeshHistory& mesh) {
    const auto snapshot = DecodeNeighborSnapshot(step.at("neighbors").dump());
    if (!snapshot) throw std::runtime_error(snapshot.error());
    server::NeighborGraph neighbors;
    neighbors.data_time = UtcMillis{std::chrono::milliseconds(step.at("data_time").get<std::int64_t>())};
    neighbors.edges = snapshot->edges;
    const Json& tracks = step.at("tracks");
    Moment moment{WithItems(server::AsCommunityGraph(neighbors), tracks), {}, {}};
    std::map<int, int> ids;
    for (const std::string& key : moment.graph.keys()) {
      moment.items.push_back(items_.Of(key));
      if (tracks.contains(key) && !tracks.at(key).is_null()) ids[items_.Of(key)] = tracks.at(key);
    }
    for (const auto& [key, community] : step.at("truth").items())
      moment.group_of[items_.Of(key)] = communities_.Of(community);
    AddPartition(moment, ids, mesh);
    mesh.by_score.moments.push_back(
        {WithItems(server::AsItemGraph(neighbors), tracks), moment.items, moment.group_of});
    times_.push_back(step.at("time"));
    runs_.push_back(step.at("run"));
    mesh.tracks.push_back(std::move(ids));
    mesh.history.moments.push_back(std::move(moment));
  }

  /// The graph with the items, too, that have no edge.
  static server::ItemGraph WithItems(const server::ItemGraph& linked, const Json& tracks) {
    std::vector<std::string> keys = linked.keys();
    for (const auto& [key, track] : tracks.items()) {
      if (!std::binary_search(linked.keys().begin(), linked.keys().end(), key)) keys.push_back(key);
    }
    return server::ItemGraph::Build(std::move(keys), linked.edges()).value();
  }

  static void AddPartition(const Moment& moment, const std::map<int, int>& ids, MeshHistory& mesh) {
    std::map<int, std::vector<int>> members;
    for (const auto& [item, id] : ids) members[id].push_back(item);
    Groups groups;
    for (auto& [id, of_id] : members) groups.clusters.push_back(std::move(of_id));
    const PartitionFigures figures = Compare(TruthOf(moment), LabelsOf(moment, groups));
    mesh.partition.ari += figures.ari;
    mesh.partition.ami += figures.ami;
    mesh.at_end = figures;
  }

  static void AddLinks(const Json& links, MeshHistory& mesh) {
    const Moment& last = mesh.history.moments.back();
    const std::vector<std::string>& keys = last.graph.keys();
    std::vector<server::WeightedEdge> edges;
    for (const Json& link : links) {
      const auto a = std::lower_bound(keys.begin(), keys.end(), link.at(0).get<std::string>());
      const auto b = std::lower_bound(keys.begin(), keys.end(), link.at(1).get<std::string>());
      if (a == keys.end() || b == keys.end() || *a != link.at(0) || *b != link.at(1)) continue;
      edges.push_back({static_cast<server::Vertex>(a - keys.begin()),
                       static_cast<server::Vertex>(b - keys.begin()), link.at(2)});
    }
    mesh.links = {server::ItemGraph::Build(keys, std::move(edges)).value(), last.items, last.group_of};
  }

  void AddEvent(const Json& event, MeshHistory& mesh) {
    const auto step = std::lower_bound(times_.begin(), times_.end(), event.at("time").get<std::int64_t>());
    if (step == times_.end()) return;  // no step shows it
    mesh.history.events.push_back({KindOf(event.at("kind")), static_cast<std::size_t>(step - times_.begin()),
                                   communities_.Of(event.at("from")), communities_.Of(event.at("to"))});
  }

  void AddReport(const Json& event, MeshHistory& mesh) const {
    const auto run = std::find(runs_.begin(), runs_.end(), event.at("run").get<std::int64_t>());
    if (run == runs_.end()) throw std::runtime_error("an event was reported by a run that is not there");
    mesh.reported.push_back({KindOf(event.at("kind")), static_cast<std::size_t>(run - runs_.begin()),
                             event.at("sources").get<std::set<int>>(),
                             event.at("results").get<std::set<int>>()});
  }

  Numbering items_, communities_;
  std::vector<std::int64_t> times_, runs_;  ///< by step
};

}  // namespace

MeshHistory ReadMeshHistory(const std::string& path, double tolerance_hours) {
  try {
    std::ifstream file(path);
    return Reader().Read(Json::parse(file), tolerance_hours);
  } catch (const std::exception& error) {
    throw std::runtime_error(path + " is no history of a mesh: " + error.what());
  }
}

}  // namespace heliograph::evaluation
