#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/public_key.h"

namespace heliograph {

/// The short name of a node in a path: the first 1, 2 or 3 bytes of its public key.
/// Source: MeshCore firmware, Identity::copyHashTo.
class PathHash {
 public:
  static constexpr std::size_t kMaxSize = 3;

  /// Nothing unless `bytes` has 1, 2 or 3 bytes.
  static std::optional<PathHash> FromBytes(ByteView bytes);
  /// Nothing unless `hex` has 2, 4 or 6 hexadecimal digits.
  static std::optional<PathHash> FromHex(std::string_view hex);
  /// The hash of `size` bytes that the node with this key has. REQUIRED: 1 <= size <= 3.
  static PathHash Of(const PublicKey& key, std::size_t size);

  std::size_t size() const { return size_; }
  ByteView bytes() const { return ByteView(bytes_.data(), size_); }
  /// True when the node with this key would write itself so.
  bool Matches(const PublicKey& key) const;
  /// Upper-case, as hops are written.
  std::string ToHex() const;

  auto operator<=>(const PathHash&) const = default;

 private:
  PathHash() = default;
  std::uint8_t size_ = 0;
  std::array<std::uint8_t, kMaxSize> bytes_{};
};

}  // namespace heliograph

template <>
struct std::hash<heliograph::PathHash> {
  std::size_t operator()(const heliograph::PathHash& hop) const noexcept;
};
