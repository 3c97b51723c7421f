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

/// The Ed25519 public key that is a MeshCore node's identity. A value type, ordered as its bytes are.
class PublicKey {
 public:
  static constexpr std::size_t kSize = 32;

  PublicKey() = default;
  explicit PublicKey(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}

  /// Nothing unless `bytes` has exactly kSize bytes.
  static std::optional<PublicKey> FromBytes(ByteView bytes);
  /// Nothing unless `hex` has exactly 64 hexadecimal digits, in either case.
  static std::optional<PublicKey> FromHex(std::string_view hex);

  ByteView bytes() const { return bytes_; }
  /// Lower-case, as node keys are written.
  std::string ToHex() const;
  /// Upper-case, as observer ids are written.
  std::string ToObserverId() const;
  /// True for the key of 32 zero bytes, which no node can have.
  bool IsZero() const;

  auto operator<=>(const PublicKey&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace heliograph

template <>
struct std::hash<heliograph::PublicKey> {
  std::size_t operator()(const heliograph::PublicKey& key) const noexcept;
};
