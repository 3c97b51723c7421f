#pragma once

#include <optional>
#include <vector>

namespace heliograph {

/// In degrees.
struct GeoPoint {
  double latitude = 0;
  double longitude = 0;

  bool operator==(const GeoPoint&) const = default;
};

/// In degrees, edges included.
struct GeoBox {
  double min_latitude = 0;
  double max_latitude = 0;
  double min_longitude = 0;
  double max_longitude = 0;

  bool operator==(const GeoBox&) const = default;
};

/// The area whose nodes belong to this mesh. The polygon counts when it has three points or more, otherwise
/// the box, and without either everything is inside. The meaning is that of CoreScope's `geo_filter`.
struct GeoFilter {
  std::vector<GeoPoint> polygon;  ///< closed by itself
  double buffer_km = 0;           ///< how far outside the polygon still counts
  std::optional<GeoBox> box;

  /// True for a point inside, and for a node that tells no position: neither an absent one nor 0/0 is one.
  /// Distances are those on a plane, good for the tens of kilometres that a buffer has.
  bool Passes(const std::optional<GeoPoint>& position) const;

  bool operator==(const GeoFilter&) const = default;
};

}  // namespace heliograph
