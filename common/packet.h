#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/bytes.h"
#include "common/content_hash.h"
#include "common/path_hash.h"

namespace heliograph {

/// Bits 0-1 of the header.
enum class RouteType : std::uint8_t { kTransportFlood = 0, kFlood = 1, kDirect = 2, kTransportDirect = 3 };

/// Bits 2-5 of the header. Values 12 to 14 are reserved: they are kept, and their payload is opaque.
enum class PayloadType : std::uint8_t {
  kRequest = 0,
  kResponse = 1,
  kText = 2,
  kAck = 3,
  kAdvert = 4,
  kGroupText = 5,
  kGroupData = 6,
  kAnonymousRequest = 7,
  kPath = 8,
  kTrace = 9,
  kMultipart = 10,
  kControl = 11,
  kReserved12 = 12,
  kReserved13 = 13,
  kReserved14 = 14,
  kRawCustom = 15,
};

/// True for the two routes whose forwarders append themselves to the path.
bool IsFlood(RouteType route);
/// True for the two routes that carry transport codes.
bool HasTransportCodes(RouteType route);

/// The names that CoreScope and its clients use: "FLOOD", "TRANSPORT_DIRECT", "GRP_TXT", "UNKNOWN", …
std::string_view RouteTypeName(RouteType route);
std::string_view PayloadTypeName(PayloadType type);

/// The path_len byte: bits 0-5 count the hops, bits 6-7 are the hash size less one.
/// Source: MeshCore firmware, Packet::isValidPathLen.
class PathLength {
 public:
  static constexpr std::size_t kMaxPathBytes = 64;

  PathLength() = default;
  /// Nothing for the reserved size 4 and for a path of more than kMaxPathBytes bytes.
  static std::optional<PathLength> FromByte(std::uint8_t byte);
  /// Nothing when the pair cannot be written: size outside 1..3, more than 63 hops, more than kMaxPathBytes
  /// bytes.
  static std::optional<PathLength> Of(std::size_t hash_size, std::size_t hash_count);

  std::uint8_t byte() const { return byte_; }
  std::size_t hash_size() const { return static_cast<std::size_t>(byte_ >> 6) + 1; }
  std::size_t hash_count() const { return byte_ & 0x3F; }
  std::size_t path_bytes() const { return hash_size() * hash_count(); }

  auto operator<=>(const PathLength&) const = default;

 private:
  std::uint8_t byte_ = 0;
};

/// The four bytes that scope a packet to a region, as two little-endian integers.
struct TransportCodes {
  std::uint16_t scope = 0;     ///< code1: 0 means unscoped
  std::uint16_t reserved = 0;  ///< code2

  auto operator<=>(const TransportCodes&) const = default;
};

/// A frame as it was on the air, taken apart but not interpreted. Encode gives back the very bytes that
/// Decode took.
struct Packet {
  RouteType route = RouteType::kFlood;
  PayloadType payload_type = PayloadType::kRequest;
  std::optional<TransportCodes> transport_codes;  ///< present exactly when HasTransportCodes(route)
  PathLength path_length;
  Bytes path;     ///< path_length.path_bytes() bytes; SNR values when the payload is a TRACE
  Bytes payload;  ///< at most kMaxPayload bytes

  static constexpr std::size_t kMaxPayload = 184;  ///< MeshCore firmware, MAX_PACKET_PAYLOAD
  static constexpr std::size_t kMaxFrame = 255;    ///< MeshCore firmware, MAX_TRANS_UNIT

  /// The hops of the path in the order on the air. Empty for a TRACE, whose path bytes are no hops.
  std::vector<PathHash> Hops() const;
  ContentHash Hash() const;

  bool operator==(const Packet&) const = default;
};

/// Why a frame is no packet. A frame that the firmware would not take is refused here too.
enum class FrameError {
  kTooShort,               ///< fewer than 2 bytes
  kUnsupportedVersion,     ///< payload version above 0; the firmware drops these
  kTransportCodesMissing,  ///< a transport route that ends before its codes
  kPathLengthMissing,      ///< ends before the path_len byte
  kReservedHashSize,       ///< hash size 4
  kPathTooLong,            ///< hash size times hop count above 64 bytes
  kPathTruncated,          ///< ends inside the path that path_len claims
  kPayloadTooLong,         ///< more than Packet::kMaxPayload bytes
};

/// What went wrong, in words for a person.
std::string_view Describe(FrameError error);

/// Takes a frame apart. An empty payload is a packet (the firmware's parser allows it).
tl::expected<Packet, FrameError> DecodeFrame(ByteView frame);

/// The frame of `packet`. REQUIRED: its members agree as documented above.
Bytes EncodeFrame(const Packet& packet);

/// The content hash of a transmission stored without its frame. `path_length` counts only for a TRACE.
ContentHash HashContent(PayloadType type, PathLength path_length, ByteView payload);

}  // namespace heliograph
