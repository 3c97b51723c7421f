#include "server/history/entity_kind.h"

#include <algorithm>
#include <array>

#include "common/public_key.h"
#include "server/history/cluster_kinds.h"
#include "server/http/request.h"

namespace heliograph::server {
namespace {

std::optional<EntityKey> NodeKeyOf(std::string_view id) {
  const auto key = PublicKey::FromHex(id);
  if (!key) return std::nullopt;
  return Bytes(key->bytes().begin(), key->bytes().end());
}

std::string CanonicalNodeId(std::string_view id) {
  const auto key = PublicKey::FromHex(id);
  return key ? key->ToHex() : std::string(id);
}

constexpr std::string_view kWholeMesh = "mesh";

std::string CanonicalRegionId(std::string_view id) {
  std::string upper(id);
  if (EqualsIgnoringCase(id, kWholeMesh)) return std::string(kWholeMesh);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return upper;
}

/// Of readiness: "mesh" is the whole, which has the empty text for its region.
std::optional<EntityKey> RegionKeyOf(std::string_view id) {
  if (id.empty()) return std::nullopt;
  return EntityKey(CanonicalRegionId(id) == kWholeMesh ? std::string() : CanonicalRegionId(id));
}

constexpr std::array kCapabilityKinds{
    EntityKind{
        .name = "node",
        .table = "node_capability",
        .intervals = "node_capability AS v JOIN identity AS i ON i.key = v.node_key",
        .id = "lower(hex(i.public_key))",
        .key = "i.public_key",
        .state = "json_object('status', CASE v.status WHEN 2 THEN 'confirmed' WHEN 1 THEN 'suspected' ELSE "
                 "'unknown' END, 'evidence', v.evidence, 'probability', v.probability / 100.0, "
                 "'likely_legacy', json(iif(v.likely_legacy, 'true', 'false')), 'adopted', "
                 "json(iif(v.adopted, 'true', 'false')), 'max_hash_size', v.max_hash_size)",
        .key_of = NodeKeyOf,
        .canonical_id = CanonicalNodeId,
        .id_form = "a public key of 64 hexadecimal digits",
    },
    EntityKind{
        .name = "readiness",
        .table = "switch_readiness",
        .intervals = "switch_readiness AS v",
        .id = "iif(v.region = '', 'mesh', v.region)",
        .key = "v.region",
        .state = "v.figures",
        .key_of = RegionKeyOf,
        .canonical_id = CanonicalRegionId,
        .id_form = "mesh, or the IATA code of a region",
    },
};

using AllKinds = std::array<EntityKind, kCapabilityKinds.size() + kClusterKinds.size()>;

AllKinds Joined() {
  AllKinds kinds;
  std::copy(kClusterKinds.begin(), kClusterKinds.end(),
            std::copy(kCapabilityKinds.begin(), kCapabilityKinds.end(), kinds.begin()));
  return kinds;
}

}  // namespace

std::span<const EntityKind> EntityKinds() {
  static const AllKinds kinds = Joined();
  return kinds;
}

const EntityKind* FindEntityKind(std::string_view name) {
  const auto kinds = EntityKinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [name](const EntityKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

std::string EntityKindNames() {
  std::string names;
  for (const EntityKind& kind : EntityKinds()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

}  // namespace heliograph::server
