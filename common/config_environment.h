#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"

namespace heliograph::config_input {

/// The variable, unless it is not set or empty.
std::optional<std::string> Get(const Environment& environment, std::string_view name);

/// The variable that names the configuration file.
inline constexpr std::string_view kConfigFileVariable = "HELIOGRAPH_CONFIG";

/// Lets the environment override `config`, but for the credentials of brokers. Throws InvalidConfig.
void ApplyOverrides(Config& config, const Environment& environment);

}  // namespace heliograph::config_input

namespace heliograph {

/// Gives each source the topics of HELIOGRAPH_MQTT_TOPICS, if that is set. LoadConfig does it for the sources
/// of the file; it is for those that came from flags, or from nowhere.
void ApplyTopics(std::vector<MqttSourceConfig>& sources, const Environment& environment);

}  // namespace heliograph
