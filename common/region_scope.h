#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/packet.h"

namespace heliograph {

using RegionKey = std::array<std::uint8_t, 16>;

/// The name of a region as it is hashed and shown: without the white space around it, and with a leading '#'.
std::string RegionName(std::string_view name);

/// The key of a public region: the first 16 bytes of SHA-256 over its RegionName. Names that start with '$'
/// are those of private keys, which no name tells. Source: MeshCore firmware, RegionMap and
/// TransportKeyStore.
RegionKey RegionKeyOf(std::string_view name);

/// The transport code that a packet of this content has in the region with this key. Never 0x0000 or 0xFFFF.
/// Source: MeshCore firmware, TransportKey::calcTransportCode.
std::uint16_t ScopeCode(const RegionKey& key, PayloadType type, ByteView payload);

/// The regions whose scoped packets can be told apart. Immutable, hence safe to use from several threads.
class RegionScopes {
 public:
  RegionScopes() = default;
  /// Regions by name, with or without their '#'. Empty names and those of private keys are left out.
  explicit RegionScopes(std::span<const std::string> names);

  /// Nothing when the packet is unscoped: its route carries no codes, or the code is 0. The empty string when
  /// no region here has that code. Otherwise the region's name with its '#': the first one, should two agree
  /// by chance. Costs one HMAC for each region.
  std::optional<std::string> Match(const Packet& packet) const;

 private:
  struct Region {
    std::string name;
    RegionKey key;
  };
  std::vector<Region> regions_;
};

}  // namespace heliograph
