#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/geo_filter.h"
#include "common/identity_key.h"
#include "common/public_key.h"
#include "common/time.h"
#include "server/analytics/key_index.h"
#include "server/analytics/prefix_index.h"

namespace heliograph::server {

/// True for the roles that forward floods by the firmware's default.
bool ForwardsByDefault(std::string_view role);

/// A known node or observer: who can be behind a hop.
struct Station {
  // What each hop is weighed by comes first, in one line of the cache.
  bool forwards_by_default = false;
  std::uint64_t regions = 0;  ///< of those that hear it or that it observes for, one bit each; 0: not known
  /// When it was heard of by itself: adverts of a node, reports of an observer. Nothing when it never was.
  std::optional<UtcMillis> first_heard, last_heard;
  std::array<double, 3> on_sphere{};  ///< the position as a vector, in km; the directory fills it in
  std::optional<GeoPoint> position;   ///< as it tells
  PublicKey public_key;
};

/// Everybody that is known, by key and by path hash. Not thread-safe; const members may be called from
/// several threads at once.
class StationDirectory {
 public:
  /// Adds or replaces. REQUIRED: a key never changes its public key, and is above 0.
  void Put(IdentityKey key, const Station& station);

  /// Null when it is not known. Valid until the next Put.
  const Station* Find(IdentityKey key) const;
  /// Those that write themselves so, as numbers; empty when none does.
  const std::vector<std::int64_t>& Candidates(HopKey hop) const { return prefixes_.Candidates(hop); }
  std::size_t size() const { return stations_.size(); }
  const PrefixIndex& prefixes() const { return prefixes_; }

 private:
  std::vector<Station> stations_;
  KeyIndex places_;  ///< of the stations, by their keys
  PrefixIndex prefixes_;
};

/// On a sphere, in km.
double DistanceKm(const GeoPoint& a, const GeoPoint& b);
/// The same between two stations of a directory, a hundredth of a percent too short over 200 km, and fast.
/// REQUIRED: both tell a position.
inline double DistanceKm(const Station& a, const Station& b) {
  const double x = a.on_sphere[0] - b.on_sphere[0], y = a.on_sphere[1] - b.on_sphere[1],
               z = a.on_sphere[2] - b.on_sphere[2];
  return std::sqrt(x * x + y * y + z * z);
}

}  // namespace heliograph::server
