#include "common/payload.h"

#include <algorithm>

#include "common/wire.h"

namespace heliograph {
namespace {

constexpr std::size_t kMacSize = 2;
constexpr std::size_t kMinAck = 4;
constexpr std::size_t kMinMultipart = 3;
constexpr std::size_t kMinDiscover = 6;
constexpr std::uint8_t kDiscoverRequest = 0x8;
constexpr std::uint8_t kDiscoverResponse = 0x9;

Bytes ToBytes(ByteView view) {
  return Bytes(view.begin(), view.end());
}

/// Nothing when no ciphertext follows the MAC: the firmware calls that incomplete.
std::optional<Sealed> DecodeSealed(ByteView bytes) {
  if (bytes.size() <= kMacSize) return std::nullopt;
  return Sealed{{bytes[0], bytes[1]}, ToBytes(bytes.subspan(kMacSize))};
}

template <typename T>
std::optional<Payload> DecodePeer(ByteView bytes) {
  if (bytes.size() < 2) return std::nullopt;
  auto sealed = DecodeSealed(bytes.subspan(2));
  if (!sealed) return std::nullopt;
  return T{{bytes[0], bytes[1], std::move(*sealed)}};
}

template <typename T>
std::optional<Payload> DecodeChannel(ByteView bytes) {
  if (bytes.empty()) return std::nullopt;
  auto sealed = DecodeSealed(bytes.subspan(1));
  if (!sealed) return std::nullopt;
  return T{{bytes[0], std::move(*sealed)}};
}

std::optional<Payload> DecodeAnonymous(ByteView bytes) {
  constexpr std::size_t kSealedOffset = 1 + PublicKey::kSize;
  if (bytes.size() < kSealedOffset) return std::nullopt;
  auto sealed = DecodeSealed(bytes.subspan(kSealedOffset));
  if (!sealed) return std::nullopt;
  return AnonymousRequest{bytes[0], *PublicKey::FromBytes(bytes.subspan(1, PublicKey::kSize)),
                          std::move(*sealed)};
}

std::optional<Ack> DecodeAck(ByteView bytes) {
  if (bytes.size() < kMinAck) return std::nullopt;
  return Ack{ReadUint32(bytes), ToBytes(bytes.subspan(kMinAck))};
}

std::optional<Payload> DecodeTrace(ByteView bytes) {
  if (bytes.size() < Trace::kMinSize) return std::nullopt;
  return Trace{ReadUint32(bytes), ReadUint32(bytes.subspan(4)), bytes[8],
               ToBytes(bytes.subspan(Trace::kMinSize))};
}

std::optional<Payload> DecodeMultipart(ByteView bytes) {
  if (bytes.size() < kMinMultipart) return std::nullopt;
  return Multipart{static_cast<std::uint8_t>(bytes[0] >> 4), static_cast<PayloadType>(bytes[0] & 0x0F),
                   ToBytes(bytes.subspan(1))};
}

DiscoverRequest DecodeDiscoverRequest(ByteView bytes) {
  DiscoverRequest request;
  request.flags = bytes[0] & 0x0F;
  request.type_filter = bytes[1];
  request.tag = ReadUint32(bytes.subspan(2));
  ByteView rest = bytes.subspan(kMinDiscover);
  if (rest.size() >= 4) {
    request.since = ReadUint32(rest);
    rest = rest.subspan(4);
  }
  request.rest = ToBytes(rest);
  return request;
}

std::optional<Payload> DecodeControl(ByteView bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto sub_type = static_cast<std::uint8_t>(bytes[0] >> 4);
  if (bytes.size() >= kMinDiscover && sub_type == kDiscoverRequest) return DecodeDiscoverRequest(bytes);
  if (bytes.size() >= kMinDiscover && sub_type == kDiscoverResponse) {
    return DiscoverResponse{static_cast<NodeType>(bytes[0] & 0x0F), static_cast<std::int8_t>(bytes[1]),
                            ReadUint32(bytes.subspan(2)), ToBytes(bytes.subspan(kMinDiscover))};
  }
  return OtherControl{bytes[0], ToBytes(bytes.subspan(1))};
}

std::optional<Payload> TryDecode(PayloadType type, ByteView bytes) {
  switch (type) {
    case PayloadType::kRequest:
      return DecodePeer<Request>(bytes);
    case PayloadType::kResponse:
      return DecodePeer<Response>(bytes);
    case PayloadType::kText:
      return DecodePeer<TextMessage>(bytes);
    case PayloadType::kAck:
      return DecodeAck(bytes);
    case PayloadType::kAdvert: {
      auto advert = DecodeAdvert(bytes);
      if (!advert) return std::nullopt;
      return std::move(*advert);
    }
    case PayloadType::kGroupText:
      return DecodeChannel<GroupText>(bytes);
    case PayloadType::kGroupData:
      return DecodeChannel<GroupData>(bytes);
    case PayloadType::kAnonymousRequest:
      return DecodeAnonymous(bytes);
    case PayloadType::kPath:
      return DecodePeer<PathReturn>(bytes);
    case PayloadType::kTrace:
      return DecodeTrace(bytes);
    case PayloadType::kMultipart:
      return DecodeMultipart(bytes);
    case PayloadType::kControl:
      return DecodeControl(bytes);
    case PayloadType::kRawCustom:
      if (bytes.empty()) return std::nullopt;
      return RawCustom{ToBytes(bytes)};
    case PayloadType::kReserved12:
    case PayloadType::kReserved13:
    case PayloadType::kReserved14:
      break;
  }
  return Opaque{type, ToBytes(bytes)};
}

std::uint8_t Nibbles(unsigned high, unsigned low) {
  return static_cast<std::uint8_t>((high & 0x0F) << 4 | (low & 0x0F));
}

void AppendSealed(Bytes& bytes, const Sealed& sealed) {
  AppendBytes(bytes, sealed.mac);
  AppendBytes(bytes, sealed.ciphertext);
}

/// Writes each kind of payload.
struct Encoder {
  Bytes operator()(const PeerEnvelope& envelope) const {
    Bytes bytes{envelope.destination, envelope.source};
    AppendSealed(bytes, envelope.sealed);
    return bytes;
  }
  Bytes operator()(const ChannelEnvelope& envelope) const {
    Bytes bytes{envelope.channel_hash};
    AppendSealed(bytes, envelope.sealed);
    return bytes;
  }
  Bytes operator()(const AnonymousRequest& request) const {
    Bytes bytes{request.destination};
    AppendBytes(bytes, request.sender.bytes());
    AppendSealed(bytes, request.sealed);
    return bytes;
  }
  Bytes operator()(const Ack& ack) const {
    Bytes bytes;
    AppendUint32(bytes, ack.code);
    AppendBytes(bytes, ack.extra);
    return bytes;
  }
  Bytes operator()(const Advert& advert) const { return EncodeAdvert(advert); }
  Bytes operator()(const Trace& trace) const {
    Bytes bytes;
    AppendUint32(bytes, trace.tag);
    AppendUint32(bytes, trace.auth_code);
    bytes.push_back(trace.flags);
    AppendBytes(bytes, trace.route);
    return bytes;
  }
  Bytes operator()(const Multipart& multipart) const {
    Bytes bytes{Nibbles(multipart.remaining, static_cast<unsigned>(multipart.inner_type))};
    AppendBytes(bytes, multipart.inner);
    return bytes;
  }
  Bytes operator()(const DiscoverRequest& request) const {
    Bytes bytes{Nibbles(kDiscoverRequest, request.flags), request.type_filter};
    AppendUint32(bytes, request.tag);
    if (request.since) AppendUint32(bytes, *request.since);
    AppendBytes(bytes, request.rest);
    return bytes;
  }
  Bytes operator()(const DiscoverResponse& response) const {
    Bytes bytes{Nibbles(kDiscoverResponse, static_cast<unsigned>(response.node_type)),
                static_cast<std::uint8_t>(response.snr_quarter_db)};
    AppendUint32(bytes, response.tag);
    AppendBytes(bytes, response.key_bytes);
    return bytes;
  }
  Bytes operator()(const OtherControl& control) const {
    Bytes bytes{control.first_byte};
    AppendBytes(bytes, control.body);
    return bytes;
  }
  Bytes operator()(const RawCustom& raw) const { return raw.bytes; }
  Bytes operator()(const Opaque& opaque) const { return opaque.bytes; }
  Bytes operator()(const TooShort& too_short) const { return too_short.bytes; }
};

/// Names the type of each kind of payload.
struct TypeNamer {
  PayloadType operator()(const Request&) const { return PayloadType::kRequest; }
  PayloadType operator()(const Response&) const { return PayloadType::kResponse; }
  PayloadType operator()(const TextMessage&) const { return PayloadType::kText; }
  PayloadType operator()(const Ack&) const { return PayloadType::kAck; }
  PayloadType operator()(const Advert&) const { return PayloadType::kAdvert; }
  PayloadType operator()(const GroupText&) const { return PayloadType::kGroupText; }
  PayloadType operator()(const GroupData&) const { return PayloadType::kGroupData; }
  PayloadType operator()(const AnonymousRequest&) const { return PayloadType::kAnonymousRequest; }
  PayloadType operator()(const PathReturn&) const { return PayloadType::kPath; }
  PayloadType operator()(const Trace&) const { return PayloadType::kTrace; }
  PayloadType operator()(const Multipart&) const { return PayloadType::kMultipart; }
  PayloadType operator()(const DiscoverRequest&) const { return PayloadType::kControl; }
  PayloadType operator()(const DiscoverResponse&) const { return PayloadType::kControl; }
  PayloadType operator()(const OtherControl&) const { return PayloadType::kControl; }
  PayloadType operator()(const RawCustom&) const { return PayloadType::kRawCustom; }
  PayloadType operator()(const Opaque& opaque) const { return opaque.type; }
  PayloadType operator()(const TooShort& too_short) const { return too_short.type; }
};

}  // namespace

std::optional<std::uint8_t> Ack::attempt() const {
  return extra.empty() ? std::nullopt : std::optional(extra[0]);
}

std::optional<std::uint8_t> Ack::random() const {
  return extra.size() < 2 ? std::nullopt : std::optional(extra[1]);
}

std::optional<Ack> Multipart::InnerAck() const {
  return inner_type == PayloadType::kAck ? DecodeAck(inner) : std::nullopt;
}

std::optional<PublicKey> DiscoverResponse::public_key() const {
  if (key_bytes.size() < PublicKey::kSize) return std::nullopt;
  return PublicKey::FromBytes(ByteView(key_bytes).first(PublicKey::kSize));
}

ByteView DiscoverResponse::KeyOrPrefix() const {
  const ByteView bytes(key_bytes);
  if (bytes.size() >= PublicKey::kSize) return bytes.first(PublicKey::kSize);
  return bytes.size() >= kPrefixSize ? bytes.first(kPrefixSize) : ByteView();
}

Payload DecodePayload(PayloadType type, ByteView payload) {
  auto decoded = TryDecode(type, payload);
  if (!decoded) return TooShort{type, ToBytes(payload)};
  return std::move(*decoded);
}

Payload DecodePayload(const Packet& packet) {
  return DecodePayload(packet.payload_type, packet.payload);
}

Bytes EncodePayload(const Payload& payload) {
  return std::visit(Encoder{}, payload);
}

PayloadType TypeOf(const Payload& payload) {
  return std::visit(TypeNamer{}, payload);
}

}  // namespace heliograph
