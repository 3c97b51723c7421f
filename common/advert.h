#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/bytes.h"
#include "common/public_key.h"

namespace heliograph {

/// The low nibble of an advert's flags. Values above kSensor are not assigned yet and are kept as they are.
enum class NodeType : std::uint8_t { kNone = 0, kCompanion = 1, kRepeater = 2, kRoom = 3, kSensor = 4 };

/// "none", "companion", "repeater", "room", "sensor", and "type-N" for the others.
std::string RoleName(NodeType type);

/// What a node says of itself, signed. Source: MeshCore firmware, Mesh::createAdvert and AdvertDataParser.
struct Advert {
  PublicKey public_key;
  std::uint32_t timestamp = 0;  ///< the node's own clock, seconds since 1970
  std::array<std::uint8_t, 64> signature{};
  Bytes app_data;  ///< all of it, as received

  std::uint8_t flags = 0;
  NodeType type = NodeType::kNone;
  std::optional<double> latitude, longitude;  ///< degrees; both or neither
  std::optional<std::uint16_t> feature1, feature2;
  std::optional<std::string> name;         ///< valid UTF-8 without control characters, at most 32 bytes
  std::optional<std::int64_t> battery_mv;  ///< third-party extension of sensors
  std::optional<double> temperature_c;     ///< third-party extension of sensors

  bool operator==(const Advert&) const = default;
};

/// Why the payload of an advert is none.
enum class AdvertError {
  kTooShort,         ///< fewer than 100 bytes
  kFieldsTruncated,  ///< a flag promises a field that is not there; the firmware calls such an advert invalid
};
std::string_view Describe(AdvertError error);

tl::expected<Advert, AdvertError> DecodeAdvert(ByteView payload);

/// The payload of `advert`: key, timestamp, signature and app_data. The decoded members are not looked at.
Bytes EncodeAdvert(const Advert& advert);

/// The app_data that says what the arguments say. `name` is cut on a UTF-8 boundary to what the 32 bytes
/// leave.
Bytes EncodeAdvertAppData(NodeType type, std::optional<std::pair<double, double>> position,
                          std::string_view name);

/// The bytes that an advert's signature covers: key, timestamp and the first 32 bytes of app_data, for that
/// is where the firmware cuts it before it verifies.
Bytes SignedPart(const Advert& advert);

/// True when the signature holds. About 90 µs: once for each content hash is enough.
bool VerifySignature(const Advert& advert);

/// Nothing when the advert may become a node; otherwise what is wrong with it, in words for a person. Refused
/// are the zero key, positions off the globe, and names with control characters.
std::optional<std::string> FindImplausibility(const Advert& advert);

}  // namespace heliograph
