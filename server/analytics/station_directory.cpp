#include "server/analytics/station_directory.h"

#include <cmath>
#include <numbers>

namespace heliograph::server {

bool ForwardsByDefault(std::string_view role) {
  return role == "repeater" || role == "room";
}

void StationDirectory::Put(IdentityKey key, const Station& station) {
  const auto [at, added] = stations_.insert_or_assign(static_cast<std::int64_t>(key), station);
  if (added) prefixes_.Add(key, at->second.public_key);
}

void StationDirectory::Remove(IdentityKey key) {
  const auto found = stations_.find(static_cast<std::int64_t>(key));
  if (found == stations_.end()) return;
  prefixes_.Remove(key, found->second.public_key);
  stations_.erase(found);
}

const Station* StationDirectory::Find(IdentityKey key) const {
  const auto found = stations_.find(static_cast<std::int64_t>(key));
  return found == stations_.end() ? nullptr : &found->second;
}

double DistanceKm(const GeoPoint& a, const GeoPoint& b) {
  constexpr double kEarthRadiusKm = 6371;
  constexpr double kRadian = std::numbers::pi / 180;
  const double half_height = std::sin((b.latitude - a.latitude) * kRadian / 2);
  const double half_width = std::sin((b.longitude - a.longitude) * kRadian / 2);
  const double h = half_height * half_height +
                   std::cos(a.latitude * kRadian) * std::cos(b.latitude * kRadian) * half_width * half_width;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace heliograph::server
