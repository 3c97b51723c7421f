#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/analytics/neighbors/neighbor_view.h"
#include "server/http/etag.h"
#include "server/http/parameters.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// A node or an observer of the mesh, as answers about neighbors name it. Valid as long as the view it comes
/// from.
class StationName {
 public:
  StationName(const MeshView& view, const PublicKey& key);

  bool IsKnown() const { return node_ != nullptr || observer_ != nullptr; }
  bool IsShown(const Visibility& visibility) const;
  bool IsIn(const RegionFilter& region) const;
  std::optional<std::string> name() const;
  /// "observer" for one that is no node.
  std::string_view role() const;
  std::optional<GeoPoint> position() const;
  const PublicKey& key() const { return key_; }

 private:
  PublicKey key_;
  const NodeView* node_;
  const ObserverView* observer_;
};

/// `{pubkey, name, role`, left open for more members.
JsonText& BeginStation(JsonText& out, const StationName& station);

/// Between the positions that two stations tell, in km to one decimal; nothing when one tells none.
std::optional<double> DistanceBetween(const StationName& a, const StationName& b);

/// How often an edge was seen, as a whole number for clients that expect one.
std::int64_t WholeCount(const NeighborEdge& edge);
/// True when it is not certain that there was even one flood.
bool IsAmbiguous(const NeighborEdge& edge);

/// What answers about the neighbor graph are computed from.
Generation NeighborsGeneration(const RouteContext& context, const MeshView& view,
                               const NeighborView& neighbors);

/// The view that is shown at present. Throws ProblemError(503) before the first.
std::shared_ptr<const NeighborView> CurrentNeighbors(const RouteContext& context);

}  // namespace heliograph::server
