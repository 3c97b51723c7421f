#include "common/capability_merge.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace heliograph {
namespace {

constexpr int kHysteresisHundredths = 5;

/// Rising with what a status and its evidence are worth.
std::pair<int, int> Strength(CapabilityStatus status, std::optional<CapabilityEvidence> evidence) {
  return {static_cast<int>(status), evidence ? -static_cast<int>(*evidence) : -100};
}

std::optional<int> Hundredths(const std::optional<double>& probability) {
  if (!probability) return std::nullopt;
  return static_cast<int>(std::lround(std::clamp(*probability, 0.0, 1.0) * 100));
}

std::optional<int> Steady(std::optional<int> before, std::optional<int> after) {
  if (before && after && std::abs(*before - *after) < kHysteresisHundredths) return before;
  return after ? after : before;
}

}  // namespace

CapabilityState Merge(const CapabilityState& stored, const CapabilityEntry& said) {
  CapabilityState merged = stored;
  const bool as_strong = Strength(said.status, said.evidence) >= Strength(stored.status, stored.evidence);
  if (as_strong) {
    const bool same = said.status == stored.status && said.evidence == stored.evidence;
    merged.status = said.status;
    merged.evidence = said.evidence;
    merged.probability =
        same ? Steady(stored.probability, Hundredths(said.probability)) : Hundredths(said.probability);
  }
  merged.max_hash_size = std::max(stored.max_hash_size, said.max_hash_size);
  merged.adopted =
      said.evidence == CapabilityEvidence::kAdvert ? said.adopted : stored.adopted || said.adopted;
  merged.likely_legacy = said.likely_legacy && merged.status != CapabilityStatus::kConfirmed;
  return merged;
}

}  // namespace heliograph
