#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heliograph {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Hexadecimal text of `bytes`, two digits each, lower-case: the form of node keys and content hashes.
std::string ToHexLower(ByteView bytes);

/// The same in upper-case: the form of observer ids and of hops in a path.
std::string ToHexUpper(ByteView bytes);

/// The bytes that `hex` spells, in either case; nothing when its length is odd or any character is no digit.
std::optional<Bytes> FromHex(std::string_view hex);

/// Like FromHex for exactly `out.size()` bytes, without an allocation; false leaves `out` unspecified.
bool FromHexInto(std::string_view hex, std::span<std::uint8_t> out);

/// The bytes of `text`, unowned.
ByteView AsBytes(std::string_view text);

}  // namespace heliograph
