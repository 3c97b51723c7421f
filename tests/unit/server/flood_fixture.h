#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/analytics/flood.h"
#include "server/analytics/station_directory.h"

namespace heliograph::server {

inline UtcMillis AtSecond(std::int64_t second) {
  return UtcMillis(std::chrono::seconds(1'780'000'000 + second));
}

/// A key that begins with these bytes; `number` makes it different from others that do.
inline PublicKey KeyThatBegins(std::initializer_list<std::uint8_t> start, std::uint8_t number = 0) {
  Bytes bytes(32, number);
  std::copy(start.begin(), start.end(), bytes.begin());
  return *PublicKey::FromBytes(bytes);
}

/// A repeater that tells no position and was always heard of.
inline Station Repeater(const PublicKey& key) {
  Station station;
  station.public_key = key;
  station.forwards_by_default = true;
  return station;
}

/// A flood whose observers reported one path each, of hashes of `size` bytes.
class FloodMaker {
 public:
  explicit FloodMaker(std::uint8_t size = 1, std::int64_t transmission = 1) {
    flood_.hash_size = size;
    flood_.transmission = transmission;
    flood_.first_heard = flood_.last_heard = AtSecond(transmission);
  }
  FloodMaker& From(IdentityKey origin) {
    flood_.origin = origin;
    return *this;
  }
  FloodMaker& Path(std::vector<std::vector<std::uint8_t>> hops, IdentityKey observer) {
    std::int16_t step = FloodStep::kOrigin;
    for (const auto& hop : hops) step = StepAfter(step, HopKeyOf(hop.data(), hop.size()));
    flood_.hearings.push_back({step, observer, false, std::nullopt});
    return *this;
  }
  const Flood& flood() const { return flood_; }

 private:
  std::int16_t StepAfter(std::int16_t parent, HopKey hop) {
    for (std::size_t i = 0; i < flood_.steps.size(); ++i)
      if (flood_.steps[i].parent == parent && flood_.steps[i].hop == hop) return static_cast<std::int16_t>(i);
    flood_.steps.push_back({parent, hop});
    return static_cast<std::int16_t>(flood_.steps.size() - 1);
  }
  Flood flood_;
};

}  // namespace heliograph::server
