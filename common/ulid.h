#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/time.h"

namespace heliograph {

/// A 128-bit identifier that sorts by the moment of its making: 48 bits of milliseconds since 1970, then 80
/// random bits (github.com/ulid/spec). Two made in the same millisecond have no order between them that means
/// anything.
class Ulid {
 public:
  static constexpr std::size_t kSize = 16;
  static constexpr std::size_t kRandomSize = 10;
  static constexpr std::size_t kTextLength = 26;

  /// All zeros; never generated.
  Ulid() = default;
  explicit Ulid(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}

  /// REQUIRED: `time` is not before 1970 and less than 2^48 ms after it.
  static Ulid FromParts(UtcMillis time, const std::array<std::uint8_t, kRandomSize>& random);

  /// A new identifier of the moment `now`, with random bits from the kernel. Throws std::system_error when
  /// the kernel has none to give. REQUIRED: as FromParts. Thread-safe.
  static Ulid Generate(UtcMillis now);

  /// Reads the canonical text alone: 26 upper-case characters of Crockford's base 32, without I, L, O and U,
  /// the first at most 7. Nothing for anything else, so that an identifier has exactly one text.
  static std::optional<Ulid> Parse(std::string_view text);

  std::string ToText() const;
  UtcMillis time() const;
  const std::array<std::uint8_t, kSize>& bytes() const { return bytes_; }

  /// The order of the texts is the same.
  auto operator<=>(const Ulid&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace heliograph
