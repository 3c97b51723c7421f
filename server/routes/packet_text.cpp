#include "server/routes/packet_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/packet_json.h"
#include "common/payload.h"

namespace heliograph::server {
namespace {

constexpr double kQuartersPerDecibel = 4.0;

/// The hops that a person wants to see: of a TRACE the planned route, for its header's path holds none.
std::vector<std::string> HopTexts(const Packet& packet) {
  std::vector<std::string> texts;
  if (packet.payload_type == PayloadType::kTrace) {
    const Payload payload = DecodePayload(packet);
    if (const auto* trace = std::get_if<Trace>(&payload)) {
      for (const Bytes& hop : trace->Hops()) texts.push_back(ToHexUpper(hop));
    }
    return texts;
  }
  for (const PathHash& hop : packet.Hops()) texts.push_back(hop.ToHex());
  return texts;
}

std::string JsonArray(const std::vector<std::string>& texts) {
  JsonText json;
  json.BeginArray();
  for (const std::string& text : texts) json.Value(text);
  json.EndArray();
  return std::move(json).Take();
}

/// "rx", "tx" or null.
void WriteDirection(JsonText& out, const StoredObservation* observation) {
  out.Key("direction");
  if (observation == nullptr || observation->direction == 0 || observation->direction > 2) {
    out.Null();
  } else {
    out.Value(observation->direction == 1 ? "rx" : "tx");
  }
}

/// The transmission as a packet, also when nothing is known of how it was heard.
Packet DisplayFrame(const StoredTransmission& transmission) {
  if (transmission.display) return FrameOf(transmission, *transmission.display);
  Packet packet;
  packet.payload_type = transmission.payload_type;
  packet.payload = transmission.payload;
  return packet;
}

}  // namespace

void PacketWriter::WriteTransmission(JsonText& out, const StoredTransmission& transmission,
                                     bool expanded) const {
  const StoredObservation* display = transmission.display ? &*transmission.display : nullptr;
  out.BeginObject()
      .Member("id", transmission.id)
      .Member("hash", transmission.hash.ToHex())
      .Member("first_seen", transmission.first_seen)
      .Member("timestamp", transmission.first_seen);
  WriteFrame(out, transmission);
  out.Member("observation_count", transmission.observation_count);
  WriteObserver(out, display == nullptr ? -1 : display->observer_key);
  WriteReception(out, display);
  WriteDirection(out, display);
  out.Key("_parsedPath");
  WritePath(out, transmission);
  out.Member("scope_name", transmission.scope);
  if (expanded) {
    out.Key("observations").BeginArray();
    for (const StoredObservation& observation : transmission.observations) {
      WriteObservation(out, transmission, observation, false);
    }
    out.EndArray();
  }
  out.EndObject();
}

void PacketWriter::WriteGroup(JsonText& out, const StoredTransmission& transmission) const {
  const StoredObservation* display = transmission.display ? &*transmission.display : nullptr;
  out.BeginObject()
      .Member("hash", transmission.hash.ToHex())
      .Member("first_seen", transmission.first_seen)
      .Member("count", transmission.observation_count)
      .Member("observer_count", transmission.observer_keys.size())
      .Member("observation_count", transmission.observation_count)
      .Member("latest", transmission.last_seen);
  WriteObserver(out, display == nullptr ? -1 : display->observer_key);
  out.Key("distinct_iatas").BeginArray();
  for (const std::string& region : RegionsOf(transmission)) out.Value(region);
  out.EndArray();
  WriteFrame(out, transmission);
  WriteReception(out, display);
  out.EndObject();
}

void PacketWriter::WriteObservation(JsonText& out, const StoredTransmission& transmission,
                                    const StoredObservation& observation, bool whole) const {
  const Packet frame = FrameOf(transmission, observation);
  out.BeginObject().Member("id", observation.id);
  if (whole) {
    out.Member("transmission_id", transmission.id)
        .Member("hash", transmission.hash.ToHex())
        .Member("raw_hex", ToHexLower(EncodeFrame(frame)))
        .Member("route_type", static_cast<int>(observation.route));
  }
  WriteObserver(out, observation.observer_key);
  WriteReception(out, &observation);
  out.Member("path_json", JsonArray(HopTexts(frame))).Member("timestamp", observation.received_at);
  WriteDirection(out, &observation);
  out.EndObject();
}

void PacketWriter::WritePath(JsonText& out, const StoredTransmission& transmission) const {
  out.Raw(JsonArray(HopTexts(DisplayFrame(transmission))));
}

void PacketWriter::WriteObserver(JsonText& out, std::int64_t key) const {
  const ObserverView* observer = context_.visibility().ShownObserver(view_, key);
  if (observer == nullptr) {
    out.Key("observer_id").Null().Key("observer_name").Null().Key("observer_iata").Null();
    return;
  }
  out.Member("observer_id", observer->id)
      .Member("observer_name", observer->name)
      .Member("observer_iata", observer->iata);
}

void PacketWriter::WriteReception(JsonText& out, const StoredObservation* observation) const {
  std::optional<double> snr;
  if (observation != nullptr && observation->snr_quarter_db) {
    snr = static_cast<double>(*observation->snr_quarter_db) / kQuartersPerDecibel;
  }
  out.Member("snr", snr);
  out.Member("rssi", observation == nullptr ? std::nullopt : observation->rssi_dbm);
}

void PacketWriter::WriteFrame(JsonText& out, const StoredTransmission& transmission) const {
  const Packet frame = DisplayFrame(transmission);
  out.Key("raw_hex");
  if (transmission.display) {
    out.Value(ToHexLower(EncodeFrame(frame)));
    out.Member("route_type", static_cast<int>(frame.route));
  } else {
    out.Null().Key("route_type").Null();
  }
  PacketJsonOptions options;
  options.keys = &context_.channel_keys();
  out.Member("payload_type", static_cast<int>(transmission.payload_type))
      .Member("decoded_json", PayloadToJson(frame, options).dump())
      .Member("path_json", JsonArray(HopTexts(frame)));
}

std::vector<std::string> PacketWriter::RegionsOf(const StoredTransmission& transmission) const {
  std::vector<std::string> regions;
  for (const std::int64_t key : transmission.observer_keys) {
    if (const ObserverView* observer = context_.visibility().ShownObserver(view_, key))
      regions.push_back(observer->iata);
  }
  std::sort(regions.begin(), regions.end());
  regions.erase(std::unique(regions.begin(), regions.end()), regions.end());
  return regions;
}

}  // namespace heliograph::server
