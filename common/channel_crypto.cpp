#include "common/channel_crypto.h"

#include <algorithm>
#include <cassert>

#include "common/crypto.h"
#include "common/text.h"
#include "common/wire.h"

namespace heliograph {
namespace {

constexpr std::size_t kBlockSize = 16;
constexpr std::size_t kTextHeader = 5;
constexpr std::size_t kDataHeader = 3;
constexpr int kMaxControlCharacters = 2;
constexpr std::size_t kMaxSenderBytes = 49;
constexpr std::string_view kSenderEnd = ": ";

std::array<std::uint8_t, 2> MacOf(const ChannelKey& key, ByteView ciphertext) {
  const Sha256Digest digest = HmacSha256(key.bytes(), ciphertext);
  return {digest[0], digest[1]};
}

bool IsPlausibleText(std::string_view text) {
  int controls = 0;
  for (std::size_t position = 0; position < text.size();) {
    const auto code = NextCodePoint(text, position);
    if (!code) return false;
    const bool white_space = *code == U'\t' || *code == U'\n' || *code == U'\r';
    if ((*code < 0x20 && !white_space) || *code == 0xFFFD) ++controls;
  }
  return controls <= kMaxControlCharacters;
}

/// Where the sender's name ends; nothing when the text names none.
std::optional<std::size_t> SenderLength(std::string_view text) {
  const std::size_t length = text.find(kSenderEnd);
  if (length == std::string_view::npos || length == 0 || length > kMaxSenderBytes) return std::nullopt;
  if (text.substr(0, length).find_first_of(":[]") != std::string_view::npos) return std::nullopt;
  return length;
}

std::optional<GroupMessage> ReadText(const ChannelKey& key, ByteView plaintext) {
  if (plaintext.size() < kTextHeader) return std::nullopt;
  const std::uint8_t text_type = plaintext[4] >> 2;
  if (text_type != 0) return std::nullopt;
  const ByteView padded = plaintext.subspan(kTextHeader);
  std::string_view text(reinterpret_cast<const char*>(padded.data()), padded.size());
  text = text.substr(0, text.find('\0'));
  if (!IsPlausibleText(text)) return std::nullopt;

  GroupMessage message{key.name(), ReadUint32(plaintext), std::nullopt, std::string(text)};
  if (const auto length = SenderLength(text)) {
    message.sender = text.substr(0, *length);
    message.text = text.substr(*length + kSenderEnd.size());
  }
  return message;
}

std::optional<GroupDatagram> ReadData(const ChannelKey& key, ByteView plaintext) {
  if (plaintext.size() < kDataHeader) return std::nullopt;
  const std::size_t length = plaintext[2];
  const ByteView data = plaintext.subspan(kDataHeader);
  if (length > data.size()) return std::nullopt;
  return GroupDatagram{key.name(), ReadUint16(plaintext),
                       Bytes(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(length))};
}

/// What `read` makes of the plaintext by the first key that fits and that it makes something of.
template <typename Read>
auto Decrypt(const KeyRing& keys, const ChannelEnvelope& envelope, Read read)
    -> decltype(read(std::declval<const ChannelKey&>(), ByteView())) {
  for (const ChannelKey& key : keys.Candidates(envelope.channel_hash)) {
    const auto plaintext = Open(key, envelope.sealed);
    if (!plaintext) continue;
    if (auto content = read(key, ByteView(*plaintext))) return content;
  }
  return std::nullopt;
}

}  // namespace

std::string GroupMessage::WholeText() const {
  return sender ? *sender + std::string(kSenderEnd) + text : text;
}

std::optional<Bytes> Open(const ChannelKey& key, const Sealed& sealed) {
  if (MacOf(key, sealed.ciphertext) != sealed.mac) return std::nullopt;
  return Aes128EcbDecrypt(key.cipher_key(), sealed.ciphertext);
}

Sealed Seal(const ChannelKey& key, ByteView plaintext) {
  assert(!plaintext.empty());
  Bytes padded(plaintext.begin(), plaintext.end());
  padded.resize((padded.size() + kBlockSize - 1) / kBlockSize * kBlockSize);
  Sealed sealed;
  sealed.ciphertext = *Aes128EcbEncrypt(key.cipher_key(), padded);
  sealed.mac = MacOf(key, sealed.ciphertext);
  return sealed;
}

std::optional<GroupMessage> DecryptGroupText(const KeyRing& keys, const GroupText& sealed) {
  return Decrypt(keys, sealed, ReadText);
}

std::optional<GroupDatagram> DecryptGroupData(const KeyRing& keys, const GroupData& sealed) {
  return Decrypt(keys, sealed, ReadData);
}

GroupText EncryptGroupText(const ChannelKey& key, const GroupMessage& message) {
  Bytes plaintext;
  AppendUint32(plaintext, message.timestamp);
  plaintext.push_back(0);
  AppendBytes(plaintext, AsBytes(message.WholeText()));
  return GroupText{{key.hash_byte(), Seal(key, plaintext)}};
}

GroupData EncryptGroupData(const ChannelKey& key, const GroupDatagram& datagram) {
  assert(datagram.data.size() <= 255);
  Bytes plaintext;
  AppendUint16(plaintext, datagram.data_type);
  plaintext.push_back(static_cast<std::uint8_t>(datagram.data.size()));
  AppendBytes(plaintext, datagram.data);
  return GroupData{{key.hash_byte(), Seal(key, plaintext)}};
}

}  // namespace heliograph
