#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace heliograph {

/// The identity of a transmission: the first 8 bytes of SHA-256 over payload type and payload, the same for
/// every route and hop. Source: MeshCore firmware, Packet::calculatePacketHash.
class ContentHash {
 public:
  static constexpr std::size_t kSize = 8;

  ContentHash() = default;
  explicit ContentHash(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}

  /// Nothing unless `bytes` has exactly kSize bytes.
  static std::optional<ContentHash> FromBytes(ByteView bytes);
  /// Nothing unless `hex` has exactly 16 hexadecimal digits, in either case.
  static std::optional<ContentHash> FromHex(std::string_view hex);

  ByteView bytes() const { return bytes_; }
  /// Lower-case.
  std::string ToHex() const;

  auto operator<=>(const ContentHash&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace heliograph

template <>
struct std::hash<heliograph::ContentHash> {
  std::size_t operator()(const heliograph::ContentHash& content) const noexcept;
};
