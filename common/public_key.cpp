#include "common/public_key.h"

#include <algorithm>

namespace heliograph {

std::optional<PublicKey> PublicKey::FromBytes(ByteView bytes) {
  if (bytes.size() != kSize) return std::nullopt;
  PublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

std::optional<PublicKey> PublicKey::FromHex(std::string_view hex) {
  PublicKey key;
  if (!FromHexInto(hex, key.bytes_)) return std::nullopt;
  return key;
}

std::string PublicKey::ToHex() const {
  return ToHexLower(bytes_);
}

std::string PublicKey::ToObserverId() const {
  return ToHexUpper(bytes_);
}

bool PublicKey::IsZero() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace heliograph

std::size_t std::hash<heliograph::PublicKey>::operator()(const heliograph::PublicKey& key) const noexcept {
  const heliograph::ByteView bytes = key.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
