#include "common/path_hash.h"

#include <algorithm>
#include <cassert>

namespace heliograph {

std::optional<PathHash> PathHash::FromBytes(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kMaxSize) return std::nullopt;
  PathHash hash;
  hash.size_ = static_cast<std::uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), hash.bytes_.begin());
  return hash;
}

std::optional<PathHash> PathHash::FromHex(std::string_view hex) {
  if (hex.empty() || hex.size() > 2 * kMaxSize || hex.size() % 2 != 0) return std::nullopt;
  PathHash hash;
  hash.size_ = static_cast<std::uint8_t>(hex.size() / 2);
  if (!FromHexInto(hex, std::span(hash.bytes_).first(hash.size_))) return std::nullopt;
  return hash;
}

PathHash PathHash::Of(const PublicKey& key, std::size_t size) {
  assert(size >= 1 && size <= kMaxSize);
  PathHash hash;
  hash.size_ = static_cast<std::uint8_t>(size);
  std::copy_n(key.bytes().begin(), size, hash.bytes_.begin());
  return hash;
}

bool PathHash::Matches(const PublicKey& key) const {
  return std::equal(bytes_.begin(), bytes_.begin() + size_, key.bytes().begin());
}

std::string PathHash::ToHex() const {
  return ToHexUpper(bytes());
}

}  // namespace heliograph

std::size_t std::hash<heliograph::PathHash>::operator()(const heliograph::PathHash& hop) const noexcept {
  std::size_t value = hop.size();
  for (const std::uint8_t byte : hop.bytes()) value = value << 8 | byte;
  return value;
}
