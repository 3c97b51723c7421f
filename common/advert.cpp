#include "common/advert.h"

#include <algorithm>
#include <cmath>

#include "common/crypto.h"
#include "common/text.h"
#include "common/wire.h"

namespace heliograph {
namespace {

constexpr std::size_t kTimestampOffset = PublicKey::kSize;
constexpr std::size_t kSignatureOffset = kTimestampOffset + 4;
constexpr std::size_t kAppDataOffset = kSignatureOffset + 64;

// MeshCore firmware, MAX_ADVERT_DATA_SIZE. What lies beyond is neither signed nor read.
constexpr std::size_t kMaxAppData = 32;

constexpr std::uint8_t kTypeMask = 0x0F;
constexpr std::uint8_t kHasPosition = 0x10;
constexpr std::uint8_t kHasFeature1 = 0x20;
constexpr std::uint8_t kHasFeature2 = 0x40;
constexpr std::uint8_t kHasName = 0x80;

constexpr double kDegreesPerUnit = 1e-6;

ByteView SignedAppData(const Advert& advert) {
  return ByteView(advert.app_data).first(std::min(advert.app_data.size(), kMaxAppData));
}

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Where the fields of app_data lie. An offset is meaningful when its flag is set.
struct Layout {
  std::uint8_t flags = 0;
  std::size_t position = 0, feature1 = 0, feature2 = 0, name = 0;

  bool Has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

/// Nothing when a field passes the end. Source: MeshCore firmware, AdvertDataParser.
std::optional<Layout> LayOut(ByteView app_data) {
  if (app_data.empty()) return std::nullopt;
  Layout layout;
  layout.flags = app_data[0];
  std::size_t end = 1;
  layout.position = end;
  if (layout.Has(kHasPosition)) end += 8;
  layout.feature1 = end;
  if (layout.Has(kHasFeature1)) end += 2;
  layout.feature2 = end;
  if (layout.Has(kHasFeature2)) end += 2;
  layout.name = end;
  if (end > app_data.size()) return std::nullopt;
  return layout;
}

/// The bytes of the name up to its end or the first NUL; empty when there is none.
std::string_view RawName(ByteView app_data, const Layout& layout) {
  if (!layout.Has(kHasName)) return {};
  const std::string_view rest = AsText(app_data.subspan(layout.name));
  return rest.substr(0, rest.find('\0'));
}

bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/// White space becomes a space, other control characters vanish, broken UTF-8 becomes U+FFFD.
std::string CleanName(std::string_view raw) {
  const std::string valid = ToValidUtf8(raw);
  std::string clean;
  for (std::size_t position = 0; position < valid.size();) {
    const std::size_t start = position;
    const char32_t code = NextCodePoint(valid, position).value_or(0);
    if (code == U'\t' || code == U'\n' || code == U'\r') {
      clean += ' ';
    } else if (!IsControl(code)) {
      clean.append(valid, start, position - start);
    }
  }
  return std::string(TruncateUtf8(clean, kMaxAppData));
}

double ReadDegrees(ByteView bytes) {
  return static_cast<double>(static_cast<std::int32_t>(ReadUint32(bytes))) * kDegreesPerUnit;
}

/// Battery and temperature, which some sensors write behind the NULs that end their name.
void ReadTelemetry(ByteView app_data, std::size_t name_end, Advert& advert) {
  std::size_t begin = name_end;
  while (begin < app_data.size() && app_data[begin] == 0) ++begin;
  if (begin == name_end || app_data.size() - begin < 4) return;
  const std::uint16_t millivolts = ReadUint16(app_data.subspan(begin));
  const auto centidegrees = static_cast<std::int16_t>(ReadUint16(app_data.subspan(begin + 2)));
  if (millivolts > 0 && millivolts <= 10000) advert.battery_mv = millivolts;
  if (centidegrees >= -5000 && centidegrees <= 10000) advert.temperature_c = centidegrees / 100.0;
}

bool IsForbiddenInName(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

bool IsOffGlobe(double degrees, double limit) {
  return !(std::abs(degrees) <= limit);
}

std::uint32_t ToUnits(double degrees) {
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(degrees / kDegreesPerUnit)));
}

}  // namespace

std::string RoleName(NodeType type) {
  switch (type) {
    case NodeType::kNone:
      return "none";
    case NodeType::kCompanion:
      return "companion";
    case NodeType::kRepeater:
      return "repeater";
    case NodeType::kRoom:
      return "room";
    case NodeType::kSensor:
      return "sensor";
  }
  return "type-" + std::to_string(static_cast<unsigned>(type));
}

std::string_view Describe(AdvertError error) {
  switch (error) {
    case AdvertError::kTooShort:
      return "the advert has fewer than 100 bytes";
    case AdvertError::kFieldsTruncated:
      return "the advert ends before a field that its flags promise";
  }
  return "unknown advert error";
}

tl::expected<Advert, AdvertError> DecodeAdvert(ByteView payload) {
  if (payload.size() < kAppDataOffset) return tl::unexpected(AdvertError::kTooShort);
  Advert advert;
  advert.public_key = *PublicKey::FromBytes(payload.first(PublicKey::kSize));
  advert.timestamp = ReadUint32(payload.subspan(kTimestampOffset));
  std::copy_n(payload.begin() + kSignatureOffset, advert.signature.size(), advert.signature.begin());
  advert.app_data.assign(payload.begin() + kAppDataOffset, payload.end());

  const ByteView app_data = SignedAppData(advert);
  const auto layout = LayOut(app_data);
  if (!layout) return tl::unexpected(AdvertError::kFieldsTruncated);
  advert.flags = layout->flags;
  advert.type = static_cast<NodeType>(layout->flags & kTypeMask);
  if (layout->Has(kHasPosition)) {
    advert.latitude = ReadDegrees(app_data.subspan(layout->position));
    advert.longitude = ReadDegrees(app_data.subspan(layout->position + 4));
  }
  if (layout->Has(kHasFeature1)) advert.feature1 = ReadUint16(app_data.subspan(layout->feature1));
  if (layout->Has(kHasFeature2)) advert.feature2 = ReadUint16(app_data.subspan(layout->feature2));
  if (layout->Has(kHasName)) {
    const std::string_view raw = RawName(app_data, *layout);
    std::string name = CleanName(raw);
    if (!name.empty()) advert.name = std::move(name);
    if (advert.type == NodeType::kSensor) ReadTelemetry(app_data, layout->name + raw.size(), advert);
  }
  return advert;
}

Bytes EncodeAdvert(const Advert& advert) {
  Bytes payload;
  payload.reserve(kAppDataOffset + advert.app_data.size());
  AppendBytes(payload, advert.public_key.bytes());
  AppendUint32(payload, advert.timestamp);
  AppendBytes(payload, advert.signature);
  AppendBytes(payload, advert.app_data);
  return payload;
}

Bytes EncodeAdvertAppData(NodeType type, std::optional<std::pair<double, double>> position,
                          std::string_view name) {
  Bytes app_data{static_cast<std::uint8_t>(static_cast<unsigned>(type) & kTypeMask)};
  if (position) {
    app_data[0] |= kHasPosition;
    AppendUint32(app_data, ToUnits(position->first));
    AppendUint32(app_data, ToUnits(position->second));
  }
  const std::string_view fitting = TruncateUtf8(name, kMaxAppData - app_data.size());
  if (!fitting.empty()) {
    app_data[0] |= kHasName;
    AppendBytes(app_data, AsBytes(fitting));
  }
  return app_data;
}

Bytes SignedPart(const Advert& advert) {
  Bytes part;
  part.reserve(kSignatureOffset + kMaxAppData);
  AppendBytes(part, advert.public_key.bytes());
  AppendUint32(part, advert.timestamp);
  AppendBytes(part, SignedAppData(advert));
  return part;
}

bool VerifySignature(const Advert& advert) {
  return Ed25519Verify(advert.public_key, SignedPart(advert), advert.signature);
}

std::optional<std::string> FindImplausibility(const Advert& advert) {
  if (advert.public_key.IsZero()) return "the public key is all zeros";
  if (advert.latitude && IsOffGlobe(*advert.latitude, 90.0)) {
    return "the latitude " + std::to_string(*advert.latitude) + " is outside -90 to 90";
  }
  if (advert.longitude && IsOffGlobe(*advert.longitude, 180.0)) {
    return "the longitude " + std::to_string(*advert.longitude) + " is outside -180 to 180";
  }
  const ByteView app_data = SignedAppData(advert);
  const auto layout = LayOut(app_data);
  if (!layout) return std::nullopt;
  const std::string_view name = RawName(app_data, *layout);
  if (std::any_of(name.begin(), name.end(), IsForbiddenInName)) return "the name has control characters";
  return std::nullopt;
}

}  // namespace heliograph
