#include "common/geo_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace heliograph {
namespace {

constexpr double kKmPerDegree = 111.0;

bool IsInside(const std::vector<GeoPoint>& polygon, const GeoPoint& point) {
  bool inside = false;
  for (std::size_t i = 0, previous = polygon.size() - 1; i < polygon.size(); previous = i++) {
    const GeoPoint& a = polygon[i];
    const GeoPoint& b = polygon[previous];
    if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) continue;
    const double share = (point.latitude - a.latitude) / (b.latitude - a.latitude);
    if (point.longitude < a.longitude + share * (b.longitude - a.longitude)) inside = !inside;
  }
  return inside;
}

double DistanceKm(const GeoPoint& point, const GeoPoint& a, const GeoPoint& b) {
  const double middle = (a.latitude + b.latitude) / 2 * std::numbers::pi / 180;
  const double km_per_longitude = kKmPerDegree * std::cos(middle);
  const double edge_x = (b.longitude - a.longitude) * km_per_longitude;
  const double edge_y = (b.latitude - a.latitude) * kKmPerDegree;
  const double x = (point.longitude - a.longitude) * km_per_longitude;
  const double y = (point.latitude - a.latitude) * kKmPerDegree;
  const double length_squared = edge_x * edge_x + edge_y * edge_y;
  const double along =
      length_squared > 0 ? std::clamp((x * edge_x + y * edge_y) / length_squared, 0.0, 1.0) : 0;
  return std::hypot(x - along * edge_x, y - along * edge_y);
}

bool IsNearEdge(const std::vector<GeoPoint>& polygon, const GeoPoint& point, double km) {
  for (std::size_t i = 0, previous = polygon.size() - 1; i < polygon.size(); previous = i++) {
    if (DistanceKm(point, polygon[previous], polygon[i]) <= km) return true;
  }
  return false;
}

}  // namespace

bool GeoFilter::Passes(const std::optional<GeoPoint>& position) const {
  if (!position || *position == GeoPoint{}) return true;
  if (polygon.size() >= 3) {
    return IsInside(polygon, *position) || (buffer_km > 0 && IsNearEdge(polygon, *position, buffer_km));
  }
  if (!box) return true;
  return position->latitude >= box->min_latitude && position->latitude <= box->max_latitude &&
         position->longitude >= box->min_longitude && position->longitude <= box->max_longitude;
}

}  // namespace heliograph
