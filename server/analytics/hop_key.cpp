#include "server/analytics/hop_key.h"

namespace heliograph::server {

HopKey HopKeyOf(const std::uint8_t* bytes, std::size_t size) {
  std::uint32_t value = static_cast<std::uint32_t>(size) << 24;
  for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(bytes[i]) << (16 - 8 * i);
  return HopKey{value};
}

HopKey HopKeyOf(const PublicKey& key, std::size_t size) {
  return HopKeyOf(key.bytes().data(), size);
}

std::size_t HashSize(HopKey key) {
  return static_cast<std::uint32_t>(key) >> 24;
}

}  // namespace heliograph::server
