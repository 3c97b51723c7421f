#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "common/advert.h"
#include "common/bytes.h"
#include "common/packet.h"
#include "common/public_key.h"
#include "common/trace.h"

namespace heliograph {

/// What a packet carries, typed. Integers are little-endian on the air. The source of every layout is the
/// MeshCore firmware: Mesh::onRecvPacket, Mesh::create* and the examples' handlers of control packets.

/// Bytes that only those who share a secret can read, and the code that proves that they wrote them.
struct Sealed {
  std::array<std::uint8_t, 2> mac{};  ///< the first bytes of HMAC-SHA256 over the ciphertext
  Bytes ciphertext;                   ///< never empty

  bool operator==(const Sealed&) const = default;
};

/// What one node sends another. Both are named by the first byte of their key, whatever the hash size of the
/// path.
struct PeerEnvelope {
  std::uint8_t destination = 0;
  std::uint8_t source = 0;
  Sealed sealed;

  bool operator==(const PeerEnvelope&) const = default;
};

struct Request : PeerEnvelope {
  bool operator==(const Request&) const = default;
};
struct Response : PeerEnvelope {
  bool operator==(const Response&) const = default;
};
struct TextMessage : PeerEnvelope {
  bool operator==(const TextMessage&) const = default;
};
/// The way back that a node found out. Which one it is, only the two can read.
struct PathReturn : PeerEnvelope {
  bool operator==(const PathReturn&) const = default;
};

/// What everyone with the key of a channel can read.
struct ChannelEnvelope {
  std::uint8_t channel_hash = 0;  ///< the first byte of SHA-256 over the key
  Sealed sealed;

  bool operator==(const ChannelEnvelope&) const = default;
};

struct GroupText : ChannelEnvelope {
  bool operator==(const GroupText&) const = default;
};
struct GroupData : ChannelEnvelope {
  bool operator==(const GroupData&) const = default;
};

/// A request by a node that the destination need not know yet.
struct AnonymousRequest {
  std::uint8_t destination = 0;
  PublicKey sender;  ///< the sender's own key
  Sealed sealed;

  bool operator==(const AnonymousRequest&) const = default;
};

struct Ack {
  std::uint32_t code = 0;  ///< the first bytes of SHA-256 over the message and its sender's key
  Bytes extra;             ///< newer firmware: the attempt, then a random byte

  std::optional<std::uint8_t> attempt() const;
  std::optional<std::uint8_t> random() const;
  bool operator==(const Ack&) const = default;
};

/// One of several packets that belong together.
struct Multipart {
  std::uint8_t remaining = 0;  ///< how many are still to come, 0..15
  PayloadType inner_type = PayloadType::kAck;
  Bytes inner;  ///< 2 bytes or more

  /// The ACK within; nothing when the inner type is another or it is too short for one.
  std::optional<Ack> InnerAck() const;
  bool operator==(const Multipart&) const = default;
};

/// Asks the nodes in reach to name themselves.
struct DiscoverRequest {
  std::uint8_t flags = 0;        ///< 0..15
  std::uint8_t type_filter = 0;  ///< a bit for each NodeType that shall answer
  std::uint32_t tag = 0;
  std::optional<std::uint32_t> since;
  Bytes rest;  ///< fewer than 4 bytes when there is no `since`

  /// True when the first 8 bytes of the key are answer enough.
  bool prefix_only() const { return (flags & 1) != 0; }
  bool operator==(const DiscoverRequest&) const = default;
};

struct DiscoverResponse {
  NodeType node_type = NodeType::kNone;  ///< 0..15
  std::int8_t snr_quarter_db = 0;        ///< how the request was heard
  std::uint32_t tag = 0;                 ///< of the request
  Bytes key_bytes;                       ///< as received

  static constexpr std::size_t kPrefixSize = 8;

  /// The whole key, when there are bytes enough.
  std::optional<PublicKey> public_key() const;
  /// The whole key or its first kPrefixSize bytes; empty when there are fewer. Unowned.
  ByteView KeyOrPrefix() const;
  bool operator==(const DiscoverResponse&) const = default;
};

/// A control packet of another sub-type, or one too short for its own.
struct OtherControl {
  std::uint8_t first_byte = 0;  ///< the high nibble is the sub-type
  Bytes body;

  bool operator==(const OtherControl&) const = default;
};

struct RawCustom {
  Bytes bytes;  ///< not empty

  bool operator==(const RawCustom&) const = default;
};

/// The payload of a reserved type.
struct Opaque {
  PayloadType type = PayloadType::kReserved12;
  Bytes bytes;

  bool operator==(const Opaque&) const = default;
};

/// A payload that ends before what its type, or the flags of an advert, promise. The firmware ignores these.
/// It is no reason to refuse the packet.
struct TooShort {
  PayloadType type = PayloadType::kRequest;
  Bytes bytes;

  bool operator==(const TooShort&) const = default;
};

using Payload = std::variant<Request, Response, TextMessage, Ack, Advert, GroupText, GroupData,
                             AnonymousRequest, PathReturn, Trace, Multipart, DiscoverRequest,
                             DiscoverResponse, OtherControl, RawCustom, Opaque, TooShort>;

/// Never fails: what cannot be read is TooShort or Opaque. Signatures and MACs are not checked.
Payload DecodePayload(PayloadType type, ByteView payload);
Payload DecodePayload(const Packet& packet);

/// The bytes of `payload`; the inverse of DecodePayload. REQUIRED: its members agree as documented above.
Bytes EncodePayload(const Payload& payload);

/// The type that a packet with this payload has.
PayloadType TypeOf(const Payload& payload);

}  // namespace heliograph
