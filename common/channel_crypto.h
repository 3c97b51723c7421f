#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/channel_key.h"
#include "common/key_ring.h"
#include "common/payload.h"

namespace heliograph {

/// What was written to a channel, as its readers see it.
struct GroupMessage {
  std::string channel;
  std::uint32_t timestamp = 0;        ///< the sender's own clock, seconds since 1970
  std::optional<std::string> sender;  ///< what the text says of it; nobody signs it
  std::string text;                   ///< valid UTF-8, without the sender

  /// "sender: text", or just the text.
  std::string WholeText() const;
  bool operator==(const GroupMessage&) const = default;
};

/// A datagram of an application on a channel.
struct GroupDatagram {
  std::string channel;
  std::uint16_t data_type = 0;
  Bytes data;  ///< at most 255 bytes

  bool operator==(const GroupDatagram&) const = default;
};

/// The plaintext, still padded with zeros, or nothing when the MAC is wrong or the ciphertext is no whole
/// number of blocks. The MAC covers the ciphertext and is checked first. Source: MeshCore firmware,
/// Utils::MACThenDecrypt.
std::optional<Bytes> Open(const ChannelKey& key, const Sealed& sealed);

/// The inverse of Open. REQUIRED: the plaintext is not empty.
Sealed Seal(const ChannelKey& key, ByteView plaintext);

/// The message, by the first key of the ring that fits. A MAC of two bytes fits by chance, so that a text
/// that is no UTF-8 or has more than two control characters is none; and neither is, as in the firmware, one
/// whose text type is not plain. Thread-safe.
std::optional<GroupMessage> DecryptGroupText(const KeyRing& keys, const GroupText& sealed);

/// The same for a datagram. One that claims more data than there is, is none.
std::optional<GroupDatagram> DecryptGroupData(const KeyRing& keys, const GroupData& sealed);

/// What a node would send. The name of the channel comes from `key`, not from the message. REQUIRED: it fits
/// into a packet.
GroupText EncryptGroupText(const ChannelKey& key, const GroupMessage& message);
GroupData EncryptGroupData(const ChannelKey& key, const GroupDatagram& datagram);

}  // namespace heliograph
