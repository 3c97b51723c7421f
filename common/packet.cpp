#include "common/packet.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "common/crypto.h"
#include "common/wire.h"

namespace heliograph {
namespace {

constexpr std::size_t kTransportCodeBytes = 4;

FrameError PathLengthError(std::uint8_t byte) {
  return byte >> 6 == 3 ? FrameError::kReservedHashSize : FrameError::kPathTooLong;
}

}  // namespace

bool IsFlood(RouteType route) {
  return route == RouteType::kTransportFlood || route == RouteType::kFlood;
}

bool HasTransportCodes(RouteType route) {
  return route == RouteType::kTransportFlood || route == RouteType::kTransportDirect;
}

std::string_view RouteTypeName(RouteType route) {
  static constexpr std::array<std::string_view, 4> kNames = {"TRANSPORT_FLOOD", "FLOOD", "DIRECT",
                                                             "TRANSPORT_DIRECT"};
  return kNames[static_cast<std::size_t>(route) & 3];
}

std::string_view PayloadTypeName(PayloadType type) {
  static constexpr std::array<std::string_view, 16> kNames = {
      "REQ",  "RESPONSE", "TXT_MSG",   "ACK",     "ADVERT",  "GRP_TXT", "GRP_DATA", "ANON_REQ",
      "PATH", "TRACE",    "MULTIPART", "CONTROL", "UNKNOWN", "UNKNOWN", "UNKNOWN",  "RAW_CUSTOM"};
  return kNames[static_cast<std::size_t>(type) & 15];
}

std::optional<PathLength> PathLength::FromByte(std::uint8_t byte) {
  PathLength length;
  length.byte_ = byte;
  if (length.hash_size() > PathHash::kMaxSize || length.path_bytes() > kMaxPathBytes) return std::nullopt;
  return length;
}

std::optional<PathLength> PathLength::Of(std::size_t hash_size, std::size_t hash_count) {
  if (hash_size < 1 || hash_size > PathHash::kMaxSize || hash_count > 0x3F) return std::nullopt;
  return FromByte(static_cast<std::uint8_t>((hash_size - 1) << 6 | hash_count));
}

std::vector<PathHash> Packet::Hops() const {
  std::vector<PathHash> hops;
  if (payload_type == PayloadType::kTrace) return hops;
  const std::size_t size = path_length.hash_size();
  hops.reserve(path_length.hash_count());
  for (std::size_t offset = 0; offset + size <= path.size(); offset += size) {
    hops.push_back(*PathHash::FromBytes(ByteView(path).subspan(offset, size)));
  }
  return hops;
}

ContentHash Packet::Hash() const {
  return HashContent(payload_type, path_length, payload);
}

std::string_view Describe(FrameError error) {
  switch (error) {
    case FrameError::kTooShort:
      return "the frame has fewer than 2 bytes";
    case FrameError::kUnsupportedVersion:
      return "the payload version is above 0, which the firmware drops";
    case FrameError::kTransportCodesMissing:
      return "the frame of a transport route ends before its transport codes";
    case FrameError::kPathLengthMissing:
      return "the frame ends before the path length";
    case FrameError::kReservedHashSize:
      return "the path length has the reserved hash size 4";
    case FrameError::kPathTooLong:
      return "the path length claims more than 64 bytes of path";
    case FrameError::kPathTruncated:
      return "the frame ends inside its path";
    case FrameError::kPayloadTooLong:
      return "the payload has more than 184 bytes";
  }
  return "unknown frame error";
}

tl::expected<Packet, FrameError> DecodeFrame(ByteView frame) {
  if (frame.size() < 2) return tl::unexpected(FrameError::kTooShort);
  const std::uint8_t header = frame[0];
  if (header >> 6 != 0) return tl::unexpected(FrameError::kUnsupportedVersion);

  Packet packet;
  packet.route = static_cast<RouteType>(header & 3);
  packet.payload_type = static_cast<PayloadType>(header >> 2 & 15);
  ByteView rest = frame.subspan(1);

  if (HasTransportCodes(packet.route)) {
    if (rest.size() < kTransportCodeBytes) return tl::unexpected(FrameError::kTransportCodesMissing);
    packet.transport_codes = TransportCodes{ReadUint16(rest), ReadUint16(rest.subspan(2))};
    rest = rest.subspan(kTransportCodeBytes);
  }
  if (rest.empty()) return tl::unexpected(FrameError::kPathLengthMissing);
  const auto path_length = PathLength::FromByte(rest[0]);
  if (!path_length) return tl::unexpected(PathLengthError(rest[0]));
  packet.path_length = *path_length;
  rest = rest.subspan(1);

  const std::size_t path_bytes = path_length->path_bytes();
  if (rest.size() < path_bytes) return tl::unexpected(FrameError::kPathTruncated);
  if (rest.size() - path_bytes > Packet::kMaxPayload) return tl::unexpected(FrameError::kPayloadTooLong);
  const auto payload_begin = rest.begin() + static_cast<std::ptrdiff_t>(path_bytes);
  packet.path.assign(rest.begin(), payload_begin);
  packet.payload.assign(payload_begin, rest.end());
  return packet;
}

Bytes EncodeFrame(const Packet& packet) {
  assert(packet.transport_codes.has_value() == HasTransportCodes(packet.route));
  assert(packet.path.size() == packet.path_length.path_bytes());
  assert(packet.payload.size() <= Packet::kMaxPayload);
  Bytes frame;
  frame.reserve(2 + kTransportCodeBytes + packet.path.size() + packet.payload.size());
  frame.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(packet.payload_type) << 2 |
                                            static_cast<unsigned>(packet.route)));
  if (packet.transport_codes) {
    AppendUint16(frame, packet.transport_codes->scope);
    AppendUint16(frame, packet.transport_codes->reserved);
  }
  frame.push_back(packet.path_length.byte());
  frame.insert(frame.end(), packet.path.begin(), packet.path.end());
  frame.insert(frame.end(), packet.payload.begin(), packet.payload.end());
  return frame;
}

ContentHash HashContent(PayloadType type, PathLength path_length, ByteView payload) {
  Bytes input;
  input.reserve(3 + payload.size());
  input.push_back(static_cast<std::uint8_t>(type));
  if (type == PayloadType::kTrace) {
    // The firmware keeps path_len in a uint16_t and hashes both of its bytes.
    AppendUint16(input, path_length.byte());
  }
  input.insert(input.end(), payload.begin(), payload.end());
  const Sha256Digest digest = Sha256(input);
  return *ContentHash::FromBytes(ByteView(digest).first(ContentHash::kSize));
}

}  // namespace heliograph
