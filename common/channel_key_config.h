#pragma once

#include <tl/expected.hpp>

#include "common/config.h"
#include "common/key_ring.h"

namespace heliograph {

/// The channel keys that `config` gives: "Public", the key file (`channelKeysPath`, a JSON object of names
/// and hexadecimal keys), `hashChannels`, `channelKeys`. Reads the key file. An error, in words for a person,
/// for a key that is none and for a key file that can't be read or is too long.
tl::expected<KeyRing, ConfigError> LoadChannelKeys(const Config& config);

}  // namespace heliograph
