#pragma once

#include <optional>

#include "common/multibyte_snapshot.h"

namespace heliograph {

/// The versioned part of a node's capability: what is kept of it, and what the server shows of it.
struct CapabilityState {
  CapabilityStatus status = CapabilityStatus::kUnknown;
  std::optional<CapabilityEvidence> evidence;
  std::optional<std::uint8_t> max_hash_size;
  bool adopted = false;
  bool likely_legacy = false;
  std::optional<int> probability;  ///< hundredths

  bool operator==(const CapabilityState&) const = default;
};

/// What is to be stored, and shown, when `said` meets what is `stored`. The one rule for both processes: the
/// server shows at once what the ingestor will have stored. Known facts are not erased by ignorance: an
/// unknown or weaker status changes neither status nor evidence, the largest hash size only grows, and that a
/// node originates multi-byte packets is taken back only by newer adverts of its own. A probability moves
/// only by 0.05 or more while the status stays, so that noise makes no history. A confirmed node is never
/// likely legacy.
CapabilityState Merge(const CapabilityState& stored, const CapabilityEntry& said);

}  // namespace heliograph
