#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heliograph {

/// Whether a node can forward packets whose path has 2- or 3-byte hashes. The numbers are those of
/// `multibyte_sup`.
enum class CapabilityStatus : std::uint8_t { kUnknown = 0, kSuspected = 1, kConfirmed = 2 };

/// What a status rests on, from strong to weak. The first two confirm, the last one suspects.
enum class CapabilityEvidence : std::uint8_t {
  kAdvert,  ///< its own signed flood advert has a hash size of 2 or more
  kRelay,   ///< a hop of such a flood that no other node can be
  kPath,    ///< a hop of such a flood that several nodes can be
};

/// "unknown", "suspected", "confirmed".
std::string_view Name(CapabilityStatus status);
/// "advert", "relay", "path".
std::string_view Name(CapabilityEvidence evidence);
std::optional<CapabilityStatus> ParseCapabilityStatus(std::string_view name);
std::optional<CapabilityEvidence> ParseCapabilityEvidence(std::string_view name);

}  // namespace heliograph
