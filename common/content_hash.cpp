#include "common/content_hash.h"

#include <algorithm>
#include <cstring>

namespace heliograph {

std::optional<ContentHash> ContentHash::FromBytes(ByteView bytes) {
  if (bytes.size() != kSize) return std::nullopt;
  ContentHash hash;
  std::copy(bytes.begin(), bytes.end(), hash.bytes_.begin());
  return hash;
}

std::optional<ContentHash> ContentHash::FromHex(std::string_view hex) {
  ContentHash hash;
  if (!FromHexInto(hex, hash.bytes_)) return std::nullopt;
  return hash;
}

std::string ContentHash::ToHex() const {
  return ToHexLower(bytes_);
}

}  // namespace heliograph

std::size_t std::hash<heliograph::ContentHash>::operator()(
    const heliograph::ContentHash& content) const noexcept {
  // The bytes are a cryptographic digest already.
  std::size_t value = 0;
  std::memcpy(&value, content.bytes().data(), sizeof(value));
  return value;
}
