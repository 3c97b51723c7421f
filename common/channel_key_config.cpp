#include "common/channel_key_config.h"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/config_input.h"
#include "common/text.h"

namespace heliograph {
namespace {

using config_input::Refuse;

constexpr std::size_t kMaxKeyFileBytes = 4 << 20;
constexpr const char* kFileSetting = "channelKeysPath";

/// `place` says in which setting or file the key stands.
void AddKey(KeyRing& ring, KeyOrigin origin, const std::string& name, const std::string& hex,
            const std::string& place) {
  std::optional<ChannelKey> key = ChannelKey::FromHex(name, hex);
  if (!key) {
    Refuse(place + "the key of \"" + ToPrintable(name) +
           "\" is not 32 or 64 hexadecimal digits; correct it or leave it out");
  }
  ring.Add(origin, std::move(*key));
}

void AddKeyFile(KeyRing& ring, const std::filesystem::path& file) {
  const std::string text = config_input::ReadWhole(file, kMaxKeyFileBytes, kFileSetting);
  const nlohmann::json keys = nlohmann::json::parse(text, nullptr, false);
  const std::string place = std::string(kFileSetting) + ": in " + file.string() + " ";
  if (!keys.is_object()) {
    Refuse(std::string(kFileSetting) + ": " + file.string() +
           " is no JSON object of channel names and keys; correct it or name another file");
  }
  for (const auto& [name, key] : keys.items()) {
    AddKey(ring, KeyOrigin::kKeyFile, name, key.is_string() ? key.get<std::string>() : std::string(), place);
  }
}

}  // namespace

tl::expected<KeyRing, ConfigError> LoadChannelKeys(const Config& config) {
  KeyRing ring = KeyRing::WithPublic();
  try {
    if (!config.channel_keys_path.empty()) AddKeyFile(ring, config.channel_keys_path);
    for (const std::string& name : config.hash_channels)
      ring.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag(name));
    for (const auto& [name, hex] : config.channel_keys)
      AddKey(ring, KeyOrigin::kConfigured, name, hex, "channelKeys: ");
  } catch (const config_input::InvalidConfig& invalid) {
    return tl::unexpected(invalid.error);
  }
  return ring;
}

}  // namespace heliograph
