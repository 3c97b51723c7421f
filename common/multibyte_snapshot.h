#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/capability.h"
#include "common/public_key.h"
#include "common/switch_readiness.h"
#include "common/time.h"

namespace heliograph {

/// What the server concluded about one node: one entry of a `multibyte-snapshot`.
struct CapabilityEntry {
  PublicKey public_key;
  CapabilityStatus status = CapabilityStatus::kUnknown;
  std::optional<CapabilityEvidence> evidence;  ///< present exactly when the status is not unknown
  std::optional<std::uint8_t> max_hash_size;   ///< 1 to 3; the largest it was seen to use or carry
  bool adopted = false;                        ///< it originates multi-byte packets itself
  bool likely_legacy = false;                  ///< a likelihood, never a status
  std::optional<double> probability;           ///< that it can forward multi-byte packets, 0 to 1
  std::uint64_t advert_proofs = 0;             ///< own flood adverts of size 2 or more
  std::uint64_t relay_proofs = 0;              ///< observations of it as a hop that it alone can be
  std::uint64_t path_hints = 0;                ///< observations of it as a hop that others can be too
  std::optional<UtcMillis> last_proof_at;

  bool operator==(const CapabilityEntry&) const = default;
};

/// The payload of a `multibyte-snapshot`: the state of every node, as of the watermark in the file's header.
struct MultibyteSnapshot {
  std::vector<CapabilityEntry> entries;  ///< sorted by key, each key once
  /// What a switch would leave; nothing when it was not assessed, so that the known one stays.
  std::optional<SwitchReadiness> readiness = std::nullopt;
};

/// JSON of the snapshot: `{"nodes":[{"public_key",…}],"readiness":[{"region",…}]}`, the same bytes for the
/// same snapshot.
std::string EncodeMultibyteSnapshot(const MultibyteSnapshot& snapshot);

/// The snapshot, or what is wrong with the text, in words for a person. Refuses unknown statuses and
/// evidences, contradictions between the two, numbers out of range, and a key or a region that appears twice.
tl::expected<MultibyteSnapshot, std::string> DecodeMultibyteSnapshot(std::string_view json);

}  // namespace heliograph
