#include "common/packet_json.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "common/channel_crypto.h"
#include "common/payload.h"
#include "common/text.h"
#include "common/time.h"

namespace heliograph {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxAckLength = 6;

std::string HexOf(std::uint8_t byte) {
  return ToHexLower(ByteView(&byte, 1));
}

std::string UpperHexOf(std::uint8_t byte) {
  return ToHexUpper(ByteView(&byte, 1));
}

std::string HexOf(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", static_cast<unsigned>(value));
  return text;
}

/// The two bytes of a transport code as they are on the air.
std::string WireHex(std::uint16_t code) {
  return ToHexUpper(Bytes{static_cast<std::uint8_t>(code & 0xFF), static_cast<std::uint8_t>(code >> 8)});
}

std::string IsoTime(std::uint32_t seconds) {
  return FormatTime(UtcMillis(std::chrono::seconds(seconds)));
}

Json Typed(PayloadType type) {
  return {{"type", PayloadTypeName(type)}};
}

/// Writes each kind of payload.
class PayloadWriter {
 public:
  PayloadWriter(const Packet& packet, const PacketJsonOptions& options)
      : packet_(packet), options_(options) {}

  Json operator()(const PeerEnvelope& envelope) const {
    Json json = Peer(envelope);
    json["encryptedData"] = ToHexLower(envelope.sealed.ciphertext);
    return json;
  }

  Json operator()(const PathReturn& path) const {
    Json json = Peer(path);
    json["pathData"] = ToHexLower(path.sealed.ciphertext);
    return json;
  }

  Json operator()(const AnonymousRequest& request) const {
    Json json = Typed(packet_.payload_type);
    json["destHash"] = HexOf(request.destination);
    json["ephemeralPubKey"] = request.sender.ToHex();
    json["mac"] = ToHexLower(request.sealed.mac);
    json["encryptedData"] = ToHexLower(request.sealed.ciphertext);
    return json;
  }

  Json operator()(const Ack& ack) const {
    Json json = Typed(packet_.payload_type);
    json["extraHash"] = HexOf(ack.code);
    json["ackLen"] = AckLength(ack);
    if (const auto attempt = ack.attempt()) json["ackAttempt"] = *attempt;
    if (const auto random = ack.random()) json["ackRand"] = *random;
    return json;
  }

  Json operator()(const Advert& advert) const {
    Json json = Typed(packet_.payload_type);
    json["pubKey"] = advert.public_key.ToHex();
    json["timestamp"] = advert.timestamp;
    json["timestampISO"] = IsoTime(advert.timestamp);
    json["signature"] = ToHexLower(advert.signature);
    if (options_.verify_signature) json["signatureValid"] = VerifySignature(advert);
    json["flags"] = AdvertFlags(advert.flags);
    if (advert.latitude) json["lat"] = *advert.latitude;
    if (advert.longitude) json["lon"] = *advert.longitude;
    if (advert.feature1) json["feat1"] = *advert.feature1;
    if (advert.feature2) json["feat2"] = *advert.feature2;
    if (advert.name) json["name"] = *advert.name;
    if (advert.battery_mv) json["battery_mv"] = *advert.battery_mv;
    if (advert.temperature_c) json["temperature_c"] = *advert.temperature_c;
    return json;
  }

  Json operator()(const GroupText& sealed) const {
    const auto message = HasKeys() ? DecryptGroupText(*options_.keys, sealed) : std::nullopt;
    if (!message) return Unread(sealed);
    Json json{{"type", "CHAN"}};
    AddChannel(json, sealed, message->channel);
    if (message->sender) json["sender"] = *message->sender;
    json["text"] = message->WholeText();
    json["sender_timestamp"] = message->timestamp;
    return json;
  }

  Json operator()(const GroupData& sealed) const {
    const auto datagram = HasKeys() ? DecryptGroupData(*options_.keys, sealed) : std::nullopt;
    if (!datagram) return Unread(sealed);
    Json json = Typed(packet_.payload_type);
    AddChannel(json, sealed, datagram->channel);
    json["dataType"] = datagram->data_type;
    json["dataLen"] = datagram->data.size();
    json["decryptedBlob"] = ToHexLower(datagram->data);
    return json;
  }

  Json operator()(const Trace& trace) const {
    Json json = Typed(packet_.payload_type);
    json["tag"] = trace.tag;
    json["authCode"] = trace.auth_code;
    json["traceFlags"] = trace.flags;
    json["pathData"] = ToHexLower(trace.route);
    json["snrValues"] = Json::array();
    for (const std::int8_t quarters : TraceSnrQuarterDb(packet_)) json["snrValues"].push_back(quarters / 4.0);
    return json;
  }

  Json operator()(const Multipart& multipart) const {
    Json json = Typed(packet_.payload_type);
    json["remaining"] = multipart.remaining;
    json["innerType"] = static_cast<unsigned>(multipart.inner_type);
    json["innerTypeName"] = PayloadTypeName(multipart.inner_type);
    if (const auto ack = multipart.InnerAck()) {
      json["innerAckCrc"] = HexOf(ack->code);
      json["innerAckLen"] = AckLength(*ack);
      if (const auto attempt = ack->attempt()) json["innerAckAttempt"] = *attempt;
      if (const auto random = ack->random()) json["innerAckRand"] = *random;
    } else {
      json["innerPayload"] = ToHexLower(multipart.inner);
    }
    return json;
  }

  Json operator()(const DiscoverRequest& request) const {
    Json json = Control("DISCOVER_REQ");
    json["prefixOnly"] = request.prefix_only();
    json["typeFilter"] = request.type_filter;
    json["tag"] = request.tag;
    if (request.since) json["since"] = *request.since;
    return json;
  }

  Json operator()(const DiscoverResponse& response) const {
    Json json = Control("DISCOVER_RESP");
    json["nodeType"] = static_cast<unsigned>(response.node_type);
    json["nodeRole"] = RoleName(response.node_type);
    json["snr"] = response.snr_quarter_db / 4.0;
    json["tag"] = response.tag;
    if (!response.KeyOrPrefix().empty()) json["pubKey"] = ToHexLower(response.KeyOrPrefix());
    return json;
  }

  Json operator()(const OtherControl&) const { return Control("UNKNOWN"); }

  Json operator()(const RawCustom& raw) const {
    Json json = Typed(packet_.payload_type);
    json["rawLength"] = raw.bytes.size();
    json["firstByteTag"] = UpperHexOf(raw.bytes[0]);
    return WithRaw(std::move(json));
  }

  Json operator()(const Opaque&) const { return WithRaw(Typed(packet_.payload_type)); }

  Json operator()(const TooShort&) const {
    Json json = Typed(packet_.payload_type);
    json["error"] = "too short";
    return WithRaw(std::move(json));
  }

 private:
  bool HasKeys() const { return options_.keys != nullptr && !options_.keys->empty(); }

  Json WithRaw(Json json) const {
    json["raw"] = ToHexLower(packet_.payload);
    return json;
  }

  Json Peer(const PeerEnvelope& envelope) const {
    Json json = Typed(packet_.payload_type);
    json["destHash"] = HexOf(envelope.destination);
    json["srcHash"] = HexOf(envelope.source);
    json["mac"] = ToHexLower(envelope.sealed.mac);
    return json;
  }

  static std::size_t AckLength(const Ack& ack) { return std::min(4 + ack.extra.size(), kMaxAckLength); }

  static Json AdvertFlags(std::uint8_t flags) {
    const auto type = static_cast<NodeType>(flags & 0x0F);
    return {{"raw", flags},
            {"type", flags & 0x0F},
            {"chat", type == NodeType::kCompanion},
            {"repeater", type == NodeType::kRepeater},
            {"room", type == NodeType::kRoom},
            {"sensor", type == NodeType::kSensor},
            {"hasLocation", (flags & 0x10) != 0},
            {"hasFeat1", (flags & 0x20) != 0},
            {"hasFeat2", (flags & 0x40) != 0},
            {"hasName", (flags & 0x80) != 0}};
  }

  static void AddChannel(Json& json, const ChannelEnvelope& sealed, std::string_view channel) {
    json["channel"] = ToValidUtf8(channel);
    json["channelHash"] = sealed.channel_hash;
    json["channelHashHex"] = UpperHexOf(sealed.channel_hash);
    json["decryptionStatus"] = "decrypted";
  }

  Json Unread(const ChannelEnvelope& envelope) const {
    Json json = Typed(packet_.payload_type);
    json["channelHash"] = envelope.channel_hash;
    json["channelHashHex"] = UpperHexOf(envelope.channel_hash);
    json["decryptionStatus"] = HasKeys() ? "decryption_failed" : "no_key";
    json["mac"] = ToHexLower(envelope.sealed.mac);
    json["encryptedData"] = ToHexLower(envelope.sealed.ciphertext);
    return json;
  }

  Json Control(std::string_view sub_type) const {
    Json json = Typed(packet_.payload_type);
    json["ctrlFlags"] = HexOf(packet_.payload[0]);
    json["ctrlZeroHop"] = (packet_.payload[0] & 0x80) != 0;
    json["ctrlLength"] = packet_.payload.size();
    json["ctrlSubtype"] = sub_type;
    return WithRaw(std::move(json));
  }

  const Packet& packet_;
  const PacketJsonOptions& options_;
};

Json HeaderJson(const Packet& packet) {
  return {{"routeType", static_cast<unsigned>(packet.route)},
          {"routeTypeName", RouteTypeName(packet.route)},
          {"payloadType", static_cast<unsigned>(packet.payload_type)},
          {"payloadTypeName", PayloadTypeName(packet.payload_type)},
          {"payloadVersion", 0}};
}

Json PathJson(std::size_t hash_size, const std::vector<std::string>& hops) {
  return {{"hashSize", hash_size}, {"hashCount", hops.size()}, {"hops", hops}};
}

Json ForwardedPathJson(const Packet& packet) {
  std::vector<std::string> hops;
  for (const PathHash& hop : packet.Hops()) hops.push_back(hop.ToHex());
  // Direct sends without a path write a path_len of zero, whatever size the node uses.
  const bool tells_size = IsFlood(packet.route) || !hops.empty();
  return PathJson(tells_size ? packet.path_length.hash_size() : 0, hops);
}

Json TracePathJson(const Packet& packet, const Payload& payload) {
  Json json = PathJson(0, {});
  if (const auto* trace = std::get_if<Trace>(&payload)) {
    std::vector<std::string> hops;
    for (const Bytes& hop : trace->Hops()) hops.push_back(ToHexUpper(hop));
    json = PathJson(trace->hop_size(), hops);
  }
  json["hopsCompleted"] = TraceSnrQuarterDb(packet).size();
  return json;
}

std::optional<std::string_view> AnomalyOf(const Packet& packet, const Payload& payload) {
  if (packet.payload_type != PayloadType::kTrace) return std::nullopt;
  if (std::holds_alternative<TooShort>(payload)) return "the TRACE ends before its route";
  if (IsFlood(packet.route)) return "a TRACE on a flood route, which the firmware does not process";
  if (!IsRegularTrace(packet)) return "the path length of the TRACE has bits of a hash size";
  return std::nullopt;
}

}  // namespace

nlohmann::ordered_json PacketToJson(const Packet& packet, const PacketJsonOptions& options) {
  const Payload payload = DecodePayload(packet);
  Json json{{"header", HeaderJson(packet)}};
  if (packet.transport_codes) {
    json["transportCodes"] = {{"code1", WireHex(packet.transport_codes->scope)},
                              {"code2", WireHex(packet.transport_codes->reserved)}};
  }
  json["path"] =
      packet.payload_type == PayloadType::kTrace ? TracePathJson(packet, payload) : ForwardedPathJson(packet);
  json["payload"] = std::visit(PayloadWriter(packet, options), payload);
  if (const auto anomaly = AnomalyOf(packet, payload)) json["anomaly"] = *anomaly;
  return json;
}

nlohmann::ordered_json PayloadToJson(const Packet& packet, const PacketJsonOptions& options) {
  return std::visit(PayloadWriter(packet, options), DecodePayload(packet));
}

}  // namespace heliograph
