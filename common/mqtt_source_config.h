#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"
#include "common/config_section.h"

namespace heliograph::config_input {

/// Makes `source` one of the broker at `url`; credentials in the URL count where the source has none yet.
/// Throws InvalidConfig, which names `where` the URL stands.
void SetBroker(MqttSourceConfig& source, std::string_view url, const std::string& where);

/// The sources of the file: `mqttSources`, or the older `mqtt` when that gives none. Relative paths are taken
/// from `folder`; files with passwords are read. Throws InvalidConfig.
std::vector<MqttSourceConfig> ReadMqttSources(Section& root, const std::filesystem::path& folder);

}  // namespace heliograph::config_input
