#include "server/routes/neighbor_selection.h"

#include <algorithm>
#include <cmath>

#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/node_selection.h"

namespace heliograph::server {

StationName::StationName(const MeshView& view, const PublicKey& key)
    : key_(key), node_(view.FindNode(key)), observer_(view.FindObserver(key.ToObserverId())) {}

bool StationName::IsShown(const Visibility& visibility) const {
  if (!visibility.ShowsKey(key_)) return false;
  if (node_ != nullptr) return visibility.Shows(*node_);
  return observer_ != nullptr && visibility.Shows(*observer_);
}

bool StationName::IsIn(const RegionFilter& region) const {
  if (region.all()) return true;
  if (node_ != nullptr && IsInRegion(*node_, region)) return true;
  return observer_ != nullptr &&
         std::binary_search(region.codes.begin(), region.codes.end(), observer_->iata);
}

std::optional<std::string> StationName::name() const {
  if (node_ != nullptr && node_->name) return node_->name;
  return observer_ != nullptr ? observer_->name : std::nullopt;
}

std::string_view StationName::role() const {
  return node_ != nullptr ? std::string_view(node_->role) : "observer";
}

std::optional<GeoPoint> StationName::position() const {
  if (node_ == nullptr || !node_->lat || !node_->lon || (*node_->lat == 0 && *node_->lon == 0))
    return std::nullopt;
  return GeoPoint{*node_->lat, *node_->lon};
}

JsonText& BeginStation(JsonText& out, const StationName& station) {
  return out.BeginObject()
      .Member("pubkey", station.key().ToHex())
      .Member("name", station.name())
      .Member("role", station.role());
}

std::optional<double> DistanceBetween(const StationName& a, const StationName& b) {
  const auto from = a.position(), to = b.position();
  if (!from || !to) return std::nullopt;
  return std::round(DistanceKm(*from, *to) * 10) / 10;
}

std::int64_t WholeCount(const NeighborEdge& edge) {
  return std::llround(edge.Count());
}

bool IsAmbiguous(const NeighborEdge& edge) {
  return edge.Count() < 1;
}

Generation NeighborsGeneration(const RouteContext& context, const MeshView& view,
                               const NeighborView& neighbors) {
  Generation generation = NodesGeneration(context, view);
  generation.epoch +=
      '/' + std::to_string(view.observers_generation) + '/' + std::to_string(neighbors.generation);
  return generation;
}

std::shared_ptr<const NeighborView> CurrentNeighbors(const RouteContext& context) {
  const NeighborBoard* board = context.services().neighbors;
  auto view = board == nullptr ? nullptr : board->Current();
  if (!view)
    throw ProblemError(503, "the neighbor graph has not been computed yet; ask again in some seconds");
  return view;
}

}  // namespace heliograph::server
