#include "tests/meshsim/capture_writer.h"

#include <cmath>

#include "tests/meshsim/line_text.h"

namespace heliograph::meshsim {
namespace {

constexpr double kHashMissing = 0.05;
constexpr double kSignalUnknown = 0.02;

UtcMillis ShownTime(const Observer& observer, UtcMillis heard) {
  const std::chrono::milliseconds off(observer.clock_offset_ms);
  const std::chrono::hours zone(observer.dialect == Dialect::kFirmwareBridge ? observer.zone_hours : 0);
  return heard + off + zone;
}

std::size_t FrameBytes(const Message& message) {
  const Transmission& content = *message.content;
  return 2 + (HasTransportCodes(content.route) ? 4u : 0u) + message.path_length.path_bytes() +
         content.payload.size();
}

}  // namespace

LineParts PartsOf(std::string_view line) {
  constexpr std::string_view kTopic = R"("topic":")", kPayload = R"(","payload":)";
  constexpr std::string_view kEnd = "}\n";
  const std::size_t topic = line.find(kTopic) + kTopic.size();
  const std::size_t topic_end = line.find(kPayload, topic);
  const std::size_t payload = topic_end + kPayload.size();
  return {line.substr(topic, topic_end - topic), line.substr(payload, line.size() - kEnd.size() - payload)};
}

CaptureWriter::CaptureWriter(const World& world, const ObserverSet& observers, const NodeStates& states,
                             UtcMillis start, Random random)
    : world_(world),
      observers_(observers),
      states_(states),
      start_(start),
      random_(random),
      packets_(observers.observers.size(), 0) {
  for (const Observer& observer : observers.observers) {
    const Node& node = world.nodes[observer.node];
    const std::string id = node.keys.public_key().ToObserverId();
    Preface preface;
    preface.topic = R"(","topic":"meshcore/)" + world.terrain.regions[node.region].iata + "/" + id;
    preface.origin = R"(","payload":{"origin":)";
    AppendJsonString(preface.origin, node.name, observer.dialect == Dialect::kMeshcoreToMqtt);
    preface.origin += R"(,"origin_id":")" + id + R"(","timestamp":")";
    prefaces_.push_back(std::move(preface));
  }
}

std::string_view CaptureWriter::Line(const Message& message, UtcMillis received) {
  const Observer& observer = observers_.observers[message.observer];
  const Preface& preface = prefaces_[message.observer];
  const UtcMillis shown = ShownTime(observer, message.heard);
  line_.clear();
  line_ += R"({"received_at":")";
  AppendSeconds(line_, received);
  AppendFraction(line_, received);
  line_ += 'Z';
  line_ += preface.topic;
  line_ += message.content ? "/packets" : "/status";
  line_ += preface.origin;
  AppendSeconds(line_, shown);
  if (observer.dialect == Dialect::kFirmwareBridge) {
    line_ += ".000000\"";
  } else {
    AppendFraction(line_, shown);
    line_ += "000+00:00\"";
  }
  if (message.content) {
    AppendPacket(message);
  } else {
    AppendStatus(message);
  }
  line_ += "}}\n";
  return line_;
}

void CaptureWriter::AppendPacket(const Message& message) {
  const Observer& observer = observers_.observers[message.observer];
  const bool numbers = observer.dialect == Dialect::kNumbers;
  const std::string_view quote = numbers ? "" : "\"";
  ++packets_[message.observer];
  line_ += R"(,"type":"PACKET","direction":")";
  line_ += message.own ? "tx\"" : "rx\"";
  if (observer.dialect != Dialect::kLimitedFeed) {
    AppendDateAndTime(observer.dialect, ShownTime(observer, message.heard));
  }
  line_ += R"(,"len":)";
  line_ += quote;
  AppendNumber(line_, static_cast<std::int64_t>(FrameBytes(message)));
  line_ += quote;
  line_ += R"(,"packet_type":)";
  line_ += quote;
  AppendNumber(line_, static_cast<std::int64_t>(message.content->payload_type));
  line_ += quote;
  AppendRoute(message, observer.dialect);
  if (observer.dialect != Dialect::kLimitedFeed) {
    line_ += R"(,"payload_len":)";
    line_ += quote;
    AppendNumber(line_, static_cast<std::int64_t>(message.content->payload.size()));
    line_ += quote;
  }
  AppendRaw(message);
  AppendSignal(message, observer);
  const bool tells_hash = observer.dialect != Dialect::kLimitedFeed &&
                          !(observer.dialect == Dialect::kMeshcoreToMqtt && message.own) &&
                          !random_.Chance(kHashMissing);
  if (tells_hash) {
    line_ += R"(,"hash":")";
    line_ += message.content->hash_hex;
    line_ += '"';
  }
  AppendPathText(message, observer.dialect);
}

void CaptureWriter::AppendRaw(const Message& message) {
  const Transmission& content = *message.content;
  std::uint8_t head[6] = {static_cast<std::uint8_t>(static_cast<unsigned>(content.route) |
                                                    static_cast<unsigned>(content.payload_type) << 2)};
  std::size_t length = 1;
  if (HasTransportCodes(content.route)) {
    for (const std::uint16_t code : {content.codes.scope, content.codes.reserved}) {
      head[length++] = static_cast<std::uint8_t>(code);
      head[length++] = static_cast<std::uint8_t>(code >> 8);
    }
  }
  head[length++] = message.path_length.byte();
  line_ += R"(,"raw":")";
  AppendHex(line_, ByteView(head, length));
  AppendHex(line_,
            ByteView(content.path_bytes).subspan(message.path_begin, message.path_length.path_bytes()));
  line_ += content.payload_hex;
  line_ += '"';
}

void CaptureWriter::AppendSignal(const Message& message, const Observer& observer) {
  const double snr = static_cast<double>(message.snr_db);
  const auto rssi = static_cast<std::int64_t>(std::lround(kNoiseFloorDbm + snr));
  switch (observer.dialect) {
    case Dialect::kLimitedFeed:
      return;
    case Dialect::kNumbers:
      line_ += R"(,"snr":)";
      AppendQuarters(line_, snr);
      line_ += R"(,"rssi":)";
      AppendNumber(line_, rssi);
      return;
    case Dialect::kPyMc:
      if (message.own) {
        line_ += R"(,"SNR":"0","RSSI":"0")";
        return;
      }
      break;
    case Dialect::kPacketCapture:
      if (random_.Chance(kSignalUnknown)) {
        line_ += R"(,"SNR":"Unknown","RSSI":"Unknown")";
        return;
      }
      break;
    default:
      if (message.own) return;
  }
  line_ += R"(,"SNR":")";
  if (observer.dialect == Dialect::kMeshcoreToMqtt) {
    AppendNumber(line_, std::lround(snr));
  } else if (observer.dialect == Dialect::kFirmwareBridge) {
    AppendQuarters(line_, std::round(snr * 10) / 10);
  } else {
    AppendQuarters(line_, snr);
  }
  line_ += R"(","RSSI":")";
  AppendNumber(line_, rssi);
  line_ += '"';
  if (observer.dialect == Dialect::kMeshcoreToMqtt || observer.dialect == Dialect::kPyMc) {
    line_ += R"(,"score":")";
    AppendNumber(line_, std::lround((snr + 10) * 40));
    line_ += R"(","duration":")";
    AppendNumber(line_, AirtimeMillis(FrameBytes(message)));
    line_ += '"';
  }
}

void CaptureWriter::AppendDateAndTime(Dialect dialect, UtcMillis shown) {
  const auto day = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::year_month_day date(day);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shown - day).count();
  const int width = dialect == Dialect::kMeshcoreToMqtt || dialect == Dialect::kPyMc ? 1 : 2;
  line_ += R"(,"time":")";
  AppendPadded(line_, seconds / 3600, 2);
  line_ += ':';
  AppendPadded(line_, seconds / 60 % 60, 2);
  line_ += ':';
  AppendPadded(line_, seconds % 60, 2);
  line_ += R"(","date":")";
  AppendPadded(line_, static_cast<unsigned>(date.day()), width);
  line_ += '/';
  AppendPadded(line_, static_cast<unsigned>(date.month()), width);
  line_ += '/';
  AppendNumber(line_, static_cast<int>(date.year()));
  line_ += '"';
}

void CaptureWriter::AppendRoute(const Message& message, Dialect dialect) {
  const RouteType route = message.content->route;
  const bool transport = HasTransportCodes(route);
  std::string_view letter = IsFlood(route) ? "F" : "D";
  if (transport && dialect == Dialect::kPyMc) letter = IsFlood(route) ? "0" : "3";
  if (transport && dialect == Dialect::kPacketCapture && IsFlood(route)) letter = "T";
  line_ += R"(,"route":")";
  line_ += letter;
  line_ += '"';
}

void CaptureWriter::AppendPathText(const Message& message, Dialect dialect) {
  const Transmission& content = *message.content;
  const bool tells = dialect == Dialect::kMeshcoreToMqtt || dialect == Dialect::kPacketCapture;
  if (!tells || IsFlood(content.route) || message.path_length.hash_count() == 0) return;
  const std::string_view separator = dialect == Dialect::kMeshcoreToMqtt ? " -> " : ",";
  line_ += R"(,"path":")";
  if (dialect == Dialect::kMeshcoreToMqtt) line_ += '[';
  for (std::size_t i = 0; i < message.path_length.hash_count(); ++i) {
    if (i > 0) line_ += separator;
    const std::size_t size = message.path_length.hash_size();
    AppendHex(line_, ByteView(content.path_bytes).subspan(message.path_begin + i * size, size));
  }
  if (dialect == Dialect::kMeshcoreToMqtt) line_ += ']';
  line_ += '"';
}

void CaptureWriter::AppendStatus(const Message& message) {
  const Observer& observer = observers_.observers[message.observer];
  const Node& node = world_.nodes[observer.node];
  line_ += R"(,"status":")";
  line_ += message.online ? "online\"" : "offline\"";
  line_ += R"(,"model":")";
  line_ += observer.model;
  line_ += R"(","firmware_version":")";
  line_ += VersionName(states_[observer.node].firmware, observer.node);
  line_ += R"(","radio":"910.525,62.5,7,5","client_version":"meshsim/)" HELIOGRAPH_VERSION R"(","repeat":")";
  line_ += node.relays ? "on\"" : "off\"";
  if (!message.online) return;  // a last will was written when the connection was made
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(message.heard - start_).count() + 86'400;
  const std::string_view quote = observer.dialect == Dialect::kNumbers ? "" : "\"";
  const auto field = [&](std::string_view name, std::int64_t value) {
    line_ += name;
    line_ += quote;
    AppendNumber(line_, value);
    line_ += quote;
  };
  field(R"(,"stats":{"battery_mv":)", 3600 + random_.Below(600));
  field(R"(,"uptime_secs":)", uptime);
  field(R"(,"errors":)", 0);
  field(R"(,"queue_len":)", random_.Below(3));
  field(R"(,"noise_floor":)", static_cast<std::int64_t>(kNoiseFloorDbm) + random_.Below(5));
  field(R"(,"tx_air_secs":)", uptime / 90);
  field(R"(,"rx_air_secs":)", uptime / 20);
  field(R"(,"recv_errors":)", random_.Below(40));
  if (observer.dialect == Dialect::kPyMc) {
    field(R"(,"packets_recv":)", static_cast<std::int64_t>(packets_[message.observer]));
  }
  line_ += '}';
}

}  // namespace heliograph::meshsim
