#include "server/analytics/station_directory.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heliograph::server {
namespace {

constexpr double kEarthRadiusKm = 6371;
constexpr double kRadian = std::numbers::pi / 180;

std::array<double, 3> OnSphere(const GeoPoint& point) {
  const double latitude = point.latitude * kRadian, longitude = point.longitude * kRadian;
  const double circle = kEarthRadiusKm * std::cos(latitude);
  return {circle * std::cos(longitude), circle * std::sin(longitude), kEarthRadiusKm * std::sin(latitude)};
}

}  // namespace

bool ForwardsByDefault(std::string_view role) {
  return role == "repeater" || role == "room";
}

void StationDirectory::Put(IdentityKey key, const Station& station) {
  const auto [at, added] = stations_.insert_or_assign(static_cast<std::int64_t>(key), station);
  if (station.position) at->second.on_sphere = OnSphere(*station.position);
  if (added) prefixes_.Add(key, at->second.public_key);
}

const Station* StationDirectory::Find(IdentityKey key) const {
  const auto found = stations_.find(static_cast<std::int64_t>(key));
  return found == stations_.end() ? nullptr : &found->second;
}

double DistanceKm(const GeoPoint& a, const GeoPoint& b) {
  const double half_height = std::sin((b.latitude - a.latitude) * kRadian / 2);
  const double half_width = std::sin((b.longitude - a.longitude) * kRadian / 2);
  const double h = half_height * half_height +
                   std::cos(a.latitude * kRadian) * std::cos(b.latitude * kRadian) * half_width * half_width;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, h)));
}

double DistanceKm(const Station& a, const Station& b) {
  return std::hypot(a.on_sphere[0] - b.on_sphere[0], a.on_sphere[1] - b.on_sphere[1],
                    a.on_sphere[2] - b.on_sphere[2]);
}

}  // namespace heliograph::server
