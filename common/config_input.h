#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"

/// What the readers of the configuration share: inside common/ only.
namespace heliograph::config_input {

/// Ends the reading of a configuration. The public functions of common/config.h turn it into their error.
struct InvalidConfig {
  ConfigError error;
};

/// Throws InvalidConfig with this message and no position.
[[noreturn]] void Refuse(std::string message);

/// The items of a list that is joined by commas, trimmed, without the empty ones.
std::vector<std::string> SplitList(std::string_view text);

/// The bytes of `file`. Throws InvalidConfig, which names the `purpose`, when it can't be read or has more
/// than `limit` bytes.
std::string ReadWhole(const std::filesystem::path& file, std::size_t limit, const std::string& purpose);

/// The secret that `file` holds, without the end of its line. Throws InvalidConfig as ReadWhole does, and for
/// an empty one.
std::string ReadSecret(const std::filesystem::path& file, const std::string& purpose);

}  // namespace heliograph::config_input
