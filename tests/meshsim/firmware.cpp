#include "tests/meshsim/firmware.h"

#include <array>

namespace heliograph::meshsim {

std::size_t OriginatedHashSize(Firmware firmware, unsigned path_hash_mode) {
  return firmware == Firmware::kLegacy ? 1 : path_hash_mode + 1u;
}

bool Accepts(Firmware firmware, std::size_t hash_size) {
  return hash_size == 1 || firmware == Firmware::kMultibyte;
}

bool PathHasRoom(std::size_t hash_size, std::size_t hops_so_far) {
  return PathLength::Of(hash_size, hops_so_far + 1).has_value();
}

const char* VersionName(Firmware firmware, unsigned variant) {
  static constexpr std::array kLegacyNames = {"v1.10.0-9a5d2f1", "v1.11.0-6d3219f", "v1.13.0-e4c21ab"};
  static constexpr std::array kMultibyteNames = {"v1.14.0-0ce1b55", "v1.15.0-3f2a910", "v1.17.1-d929643"};
  return firmware == Firmware::kLegacy ? kLegacyNames[variant % 3] : kMultibyteNames[variant % 3];
}

}  // namespace heliograph::meshsim
