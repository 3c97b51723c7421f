#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "common/switch_readiness.h"

namespace heliograph {

/// The figures of one scope without its region, as they are stored and sent; the same text for the same
/// figures:
/// `{"traffic":{…},"knowledge":{…},"two_bytes":{"observer_share":{"share","low","high"},"node_share":…,
/// "blockers":[{"public_key","gain"}]},"three_bytes":…}`.
std::string EncodeReadinessFigures(const ReadinessScope& scope);

/// The figures, or what is wrong with the text, in words for a person. Refuses shares outside 0 to 1,
/// intervals that do not hold their share, and more blockers than kMaxSwitchBlockers. The region is left
/// empty.
tl::expected<ReadinessScope, std::string> DecodeReadinessFigures(std::string_view json);

/// All scopes as a list of `{"region":…,"figures":{…}}`; the region of the whole mesh is null.
std::string EncodeReadiness(const SwitchReadiness& readiness);

/// The inverse. Refuses what DecodeReadinessFigures refuses, a region that appears twice, more of them than
/// kMaxReadinessRegions, and a list without the whole mesh.
tl::expected<SwitchReadiness, std::string> DecodeReadiness(const nlohmann::json& json);

}  // namespace heliograph
