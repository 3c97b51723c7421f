#include "ingestor/preparer.h"

#include <algorithm>
#include <utility>

#include "common/channel_crypto.h"
#include "common/channel_key_config.h"
#include "common/payload.h"
#include "common/text.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kMaxShownName = 64;

/// "enc_" and the channel hash of the packet, the name that CoreScope gives a channel that nobody here can
/// read.
std::string UnreadableChannel(std::uint8_t channel_hash) {
  return "enc_" + ToHexUpper(ByteView(&channel_hash, 1));
}

PreparedDrop DropOf(const PreparedPacket& packet, DropReason reason, std::string detail) {
  PreparedDrop drop;
  drop.reason = reason;
  drop.source = packet.source;
  drop.received_at = packet.received_at;
  drop.detail = std::move(detail);
  drop.observer = packet.observer;
  drop.hash = packet.hash;
  drop.raw = EncodeFrame(packet.packet);
  if (packet.advert) {
    drop.node = packet.advert->public_key;
    drop.node_name = std::string(TruncateUtf8(packet.advert->name.value_or(""), kMaxShownName));
  }
  return drop;
}

}  // namespace

std::size_t Preparer::FingerprintHash::operator()(const Fingerprint& fingerprint) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, fingerprint.data(), sizeof hash);
  return hash;
}

std::size_t Preparer::ScopeQuestionHash::operator()(const ScopeQuestion& question) const noexcept {
  return std::hash<ContentHash>()(question.content) ^ question.code;
}

Preparer::Preparer(Settings settings)
    : settings_(std::move(settings)),
      signatures_(settings_.remembered_results),
      channels_(settings_.remembered_results),
      scopes_(settings_.remembered_results) {}

tl::expected<Preparer::Settings, std::string> Preparer::SettingsOf(
    const Config& config, const std::vector<MqttSourceConfig>& sources) {
  tl::expected<KeyRing, ConfigError> keys = LoadChannelKeys(config);
  if (!keys) return tl::unexpected(std::move(keys.error().message));
  Settings settings;
  settings.rules = MessageRules(config, sources);
  settings.channel_keys = std::move(*keys);
  settings.regions = RegionScopes(config.hash_regions);
  settings.geo_filter = config.geo_filter;
  settings.foreign_adverts = config.foreign_adverts;
  settings.validate_signatures = config.validate_signatures;
  return settings;
}

Prepared Preparer::Prepare(const Receipt& receipt) {
  // The parser's buffers are reused; they belong to the thread, not to the object.
  thread_local ObserverMessageReader reader;
  ObserverMessage message = reader.Read(receipt, settings_.rules);
  if (auto* report = std::get_if<PacketReport>(&message)) return PrepareFrame(receipt, std::move(*report));
  if (auto* status = std::get_if<PreparedStatus>(&message)) return std::move(*status);
  return std::get<PreparedDrop>(std::move(message));
}

Prepared Preparer::PrepareFrame(const Receipt& receipt, PacketReport report) {
  tl::expected<Packet, FrameError> decoded = DecodeFrame(report.frame);
  if (!decoded) {
    PreparedDrop drop;
    drop.reason = DropReason::kInvalidFrame;
    drop.source = receipt.source;
    drop.received_at = receipt.received_at;
    drop.detail = std::string(Describe(decoded.error()));
    drop.observer = std::move(report.observer);
    drop.raw = std::move(report.frame);
    return drop;
  }
  PreparedPacket packet;
  packet.observer = std::move(report.observer);
  packet.source = receipt.source;
  packet.received_at = receipt.received_at;
  packet.device_time = report.device_time;
  packet.direction = report.direction;
  packet.snr_quarter_db = report.snr_quarter_db;
  packet.rssi_dbm = report.rssi_dbm;
  packet.packet = std::move(*decoded);
  return Interpret(std::move(packet));
}

Prepared Preparer::Interpret(PreparedPacket packet) {
  packet.hash = packet.packet.Hash();
  if (packet.packet.payload_type == PayloadType::kAdvert) {
    if (std::optional<PreparedDrop> drop = PrepareAdvert(packet)) return std::move(*drop);
  }
  packet.channel = ChannelOf(packet.packet, packet.hash);
  packet.scope = ScopeOf(packet.packet, packet.hash);
  return packet;
}

std::optional<PreparedDrop> Preparer::PrepareAdvert(PreparedPacket& packet) {
  tl::expected<Advert, AdvertError> decoded = DecodeAdvert(packet.packet.payload);
  if (!decoded) return DropOf(packet, DropReason::kInvalidAdvert, std::string(Describe(decoded.error())));
  packet.advert = std::move(*decoded);
  const Advert& advert = *packet.advert;
  if (std::optional<std::string> implausible = FindImplausibility(advert)) {
    return DropOf(packet, DropReason::kInvalidAdvert, std::move(*implausible));
  }
  if (settings_.validate_signatures && !HasValidSignature(advert, packet.packet.payload)) {
    return DropOf(packet, DropReason::kInvalidSignature, "the signature does not fit the advert");
  }
  std::optional<GeoPoint> position;
  if (advert.latitude && advert.longitude) position = GeoPoint{*advert.latitude, *advert.longitude};
  packet.outside_geo_filter = !settings_.geo_filter.Passes(position);
  if (packet.outside_geo_filter && settings_.foreign_adverts == ForeignAdverts::kDrop) {
    return DropOf(packet, DropReason::kOutsideGeoFilter, "the advert's position is outside the geo_filter");
  }
  return std::nullopt;
}

bool Preparer::HasValidSignature(const Advert& advert, ByteView payload) {
  const Sha256Digest digest = Sha256(payload);
  Fingerprint fingerprint{};
  std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
  return signatures_.Get(fingerprint, [&] { return settings_.verify(advert); });
}

std::optional<std::string> Preparer::ChannelOf(const Packet& packet, const ContentHash& hash) {
  if (packet.payload_type != PayloadType::kGroupText && packet.payload_type != PayloadType::kGroupData) {
    return std::nullopt;
  }
  if (packet.payload.empty()) return std::nullopt;
  const std::uint8_t channel_hash = packet.payload.front();
  if (settings_.channel_keys.Candidates(channel_hash).empty()) return UnreadableChannel(channel_hash);
  return channels_.Get(hash, [&]() -> std::string {
    const Payload payload = DecodePayload(packet);
    if (const auto* text = std::get_if<GroupText>(&payload)) {
      if (auto message = DecryptGroupText(settings_.channel_keys, *text)) return std::move(message->channel);
    } else if (const auto* data = std::get_if<GroupData>(&payload)) {
      if (auto datagram = DecryptGroupData(settings_.channel_keys, *data))
        return std::move(datagram->channel);
    }
    return UnreadableChannel(channel_hash);
  });
}

std::optional<std::string> Preparer::ScopeOf(const Packet& packet, const ContentHash& hash) {
  if (!packet.transport_codes || packet.transport_codes->scope == 0) return std::nullopt;
  return scopes_.Get({hash, packet.transport_codes->scope}, [&] { return settings_.regions.Match(packet); });
}

}  // namespace heliograph::ingestor
