#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace heliograph {

/// The shared secret of a channel, and the name that people know it by. A value type.
class ChannelKey {
 public:
  /// Nothing unless `key` has 16 or 32 bytes.
  static std::optional<ChannelKey> FromBytes(std::string_view name, ByteView key);
  /// Nothing unless `key_hex` has 32 or 64 hexadecimal digits.
  static std::optional<ChannelKey> FromHex(std::string_view name, std::string_view key_hex);
  /// The channel whose key is its name: the first 16 bytes of SHA-256 over the name with its leading '#'.
  /// White space around `name` is dropped and the '#' added when it is missing.
  static ChannelKey ForHashtag(std::string_view name);
  /// The channel "Public", whose key every MeshCore client has.
  static ChannelKey Public();

  const std::string& name() const { return name_; }
  /// The whole secret: the key of the MAC.
  ByteView bytes() const { return bytes_; }
  /// The key of the cipher: the first 16 bytes.
  ByteView cipher_key() const { return bytes().first(kCipherKeySize); }
  /// What a packet names the channel by. Different channels may share it.
  /// Source: MeshCore firmware, BaseChatMesh::addChannel.
  std::uint8_t hash_byte() const { return hash_byte_; }

  bool operator==(const ChannelKey&) const = default;

 private:
  static constexpr std::size_t kCipherKeySize = 16;

  ChannelKey(std::string_view name, ByteView key);

  std::string name_;
  Bytes bytes_;
  std::uint8_t hash_byte_;
};

}  // namespace heliograph
