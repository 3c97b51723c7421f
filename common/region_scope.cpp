#include "common/region_scope.h"

#include <algorithm>

#include "common/crypto.h"
#include "common/text.h"
#include "common/wire.h"

namespace heliograph {
namespace {

constexpr std::uint16_t kUnscoped = 0x0000;
constexpr std::uint16_t kReserved = 0xFFFF;

}  // namespace

std::string RegionName(std::string_view name) {
  std::string region(TrimSpace(name));
  if (!region.starts_with('#')) region.insert(region.begin(), '#');
  return region;
}

RegionKey RegionKeyOf(std::string_view name) {
  const Sha256Digest digest = Sha256(AsBytes(RegionName(name)));
  RegionKey key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

std::uint16_t ScopeCode(const RegionKey& key, PayloadType type, ByteView payload) {
  Bytes input{static_cast<std::uint8_t>(type)};
  AppendBytes(input, payload);
  const std::uint16_t code = ReadUint16(HmacSha256(key, input));
  if (code == kUnscoped) return kUnscoped + 1;
  return code == kReserved ? kReserved - 1 : code;
}

RegionScopes::RegionScopes(std::span<const std::string> names) {
  for (const std::string& name : names) {
    const std::string_view trimmed = TrimSpace(name);
    if (trimmed.empty() || trimmed == "#" || trimmed.starts_with('$')) continue;
    regions_.push_back({RegionName(trimmed), RegionKeyOf(trimmed)});
  }
}

std::optional<std::string> RegionScopes::Match(const Packet& packet) const {
  if (!packet.transport_codes || packet.transport_codes->scope == kUnscoped) return std::nullopt;
  for (const Region& region : regions_) {
    if (ScopeCode(region.key, packet.payload_type, packet.payload) == packet.transport_codes->scope) {
      return region.name;
    }
  }
  return std::string();
}

}  // namespace heliograph
