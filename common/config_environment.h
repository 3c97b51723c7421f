#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/config.h"

namespace heliograph::config_input {

/// The variable, unless it is not set or empty.
std::optional<std::string> Get(const Environment& environment, std::string_view name);

/// The variable that names the configuration file.
inline constexpr std::string_view kConfigFileVariable = "HELIOGRAPH_CONFIG";

/// Lets the environment override `config`, but for the credentials of brokers. Throws InvalidConfig.
void ApplyOverrides(Config& config, const Environment& environment);

}  // namespace heliograph::config_input
