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
  std::uint32_t place = places_.Find(static_cast<std::uint64_t>(key));
  if (place == KeyIndex::kNone) {
    place = static_cast<std::uint32_t>(stations_.size());
    stations_.push_back(station);
    places_.Insert(static_cast<std::uint64_t>(key), place);
    prefixes_.Add(key, station.public_key);
  } else {
    stations_[place] = station;
  }
  if (station.position) stations_[place].on_sphere = OnSphere(*station.position);
}

const Station* StationDirectory::Find(IdentityKey key) const {
  const std::uint32_t place = places_.Find(static_cast<std::uint64_t>(key));
  return place == KeyIndex::kNone ? nullptr : &stations_[place];
}

double DistanceKm(const GeoPoint& a, const GeoPoint& b) {
  const double half_height = std::sin((b.latitude - a.latitude) * kRadian / 2);
  const double half_width = std::sin((b.longitude - a.longitude) * kRadian / 2);
  const double h = half_height * half_height +
                   std::cos(a.latitude * kRadian) * std::cos(b.latitude * kRadian) * half_width * half_width;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace heliograph::server
