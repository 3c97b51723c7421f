#include "common/capability.h"

#include <array>

namespace heliograph {
namespace {
constexpr std::array<std::string_view, 3> kStatusNames{"unknown", "suspected", "confirmed"};
constexpr std::array<std::string_view, 3> kEvidenceNames{"advert", "relay", "path"};
}  // namespace

std::string_view Name(CapabilityStatus status) {
  return kStatusNames.at(static_cast<std::size_t>(status));
}
std::string_view Name(CapabilityEvidence evidence) {
  return kEvidenceNames.at(static_cast<std::size_t>(evidence));
}

std::optional<CapabilityStatus> ParseCapabilityStatus(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i)
    if (kStatusNames[i] == name) return static_cast<CapabilityStatus>(i);
  return std::nullopt;
}

std::optional<CapabilityEvidence> ParseCapabilityEvidence(std::string_view name) {
  for (std::size_t i = 0; i < kEvidenceNames.size(); ++i)
    if (kEvidenceNames[i] == name) return static_cast<CapabilityEvidence>(i);
  return std::nullopt;
}

}  // namespace heliograph
