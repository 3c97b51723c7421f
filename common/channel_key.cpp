#include "common/channel_key.h"

#include "common/crypto.h"
#include "common/text.h"

namespace heliograph {

std::optional<ChannelKey> ChannelKey::FromBytes(std::string_view name, ByteView key) {
  if (key.size() != 16 && key.size() != 32) return std::nullopt;
  return ChannelKey(name, key);
}

std::optional<ChannelKey> ChannelKey::FromHex(std::string_view name, std::string_view key_hex) {
  const auto key = heliograph::FromHex(key_hex);
  return key ? FromBytes(name, *key) : std::nullopt;
}

ChannelKey ChannelKey::ForHashtag(std::string_view name) {
  std::string hashtag(TrimSpace(name));
  if (!hashtag.starts_with('#')) hashtag.insert(hashtag.begin(), '#');
  return ChannelKey(hashtag, ByteView(Sha256(AsBytes(hashtag))).first(kCipherKeySize));
}

ChannelKey ChannelKey::Public() {
  return *FromHex("Public", "8b3387e9c5cdea6ac9e5edbaa115cd72");
}

ChannelKey::ChannelKey(std::string_view name, ByteView key)
    : name_(name), bytes_(key.begin(), key.end()), hash_byte_(Sha256(key)[0]) {}

}  // namespace heliograph
