#include "ingestor/observer_message.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <simdjson.h>

#include "common/ascii_case.h"
#include "common/text.h"

namespace heliograph::ingestor {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::string_view kPlaceholderIata = "XXX";
// Longer raw text can't be a frame of 255 bytes even when blanks separate its digits.
constexpr std::size_t kMaxRawCharacters = 1024;

/// A scalar of the message. Objects and arrays, null and what can't be read are kNone.
struct Scalar {
  enum class Kind : std::uint8_t { kNone, kNumber, kText, kBool } kind = Kind::kNone;
  double number = 0;
  bool boolean = false;
  std::string_view text;  ///< of kText; in the parser's buffer, until the next document

  /// As a measurement: a number, or text that spells one.
  std::optional<double> Measurement() const {
    if (kind == Kind::kNumber && std::isfinite(number)) return number;
    if (kind == Kind::kText) return ParseMeasurement(text);
    return std::nullopt;
  }
};

Scalar ReadScalar(ondemand::value value) {
  Scalar scalar;
  ondemand::json_type type{};
  if (value.type().get(type)) return scalar;
  switch (type) {
    case ondemand::json_type::number:
      if (!value.get_double().get(scalar.number)) scalar.kind = Scalar::Kind::kNumber;
      break;
    case ondemand::json_type::string:
      if (!value.get_string().get(scalar.text)) scalar.kind = Scalar::Kind::kText;
      break;
    case ondemand::json_type::boolean:
      if (!value.get_bool().get(scalar.boolean)) scalar.kind = Scalar::Kind::kBool;
      break;
    default:
      break;
  }
  return scalar;
}

/// The members of a message that mean something here.
enum class Member : std::uint8_t {
  kRaw,
  kSnrUpper,
  kSnr,
  kRssiUpper,
  kRssi,
  kDirection,
  kOrigin,
  kOriginId,
  kTimestamp,
  kStatus,
  kModel,
  kFirmware,
  kFirmwareVersion,
  kClientVersionSnake,
  kClientVersion,
  kRadio,
  kRepeat,
  kBattery,
  kUptime,
  kNoiseFloor,
  kTxAir,
  kRxAir,
  kRecvErrors,
  kSent,
  kSentShort,
  kReceived,
  kReceivedLong,
  kReceivedShort,
  kStats,
  kCount
};
constexpr std::size_t kMemberCount = static_cast<std::size_t>(Member::kCount);

struct NamedMember {
  std::string_view name;
  Member member;
};

constexpr NamedMember kMembers[] = {
    {"raw", Member::kRaw},
    {"SNR", Member::kSnrUpper},
    {"snr", Member::kSnr},
    {"RSSI", Member::kRssiUpper},
    {"rssi", Member::kRssi},
    {"direction", Member::kDirection},
    {"Direction", Member::kDirection},
    {"origin", Member::kOrigin},
    {"origin_id", Member::kOriginId},
    {"timestamp", Member::kTimestamp},
    {"status", Member::kStatus},
    {"model", Member::kModel},
    {"firmware", Member::kFirmware},
    {"firmware_version", Member::kFirmwareVersion},
    {"client_version", Member::kClientVersionSnake},
    {"clientVersion", Member::kClientVersion},
    {"radio", Member::kRadio},
    {"repeat", Member::kRepeat},
    {"battery_mv", Member::kBattery},
    {"uptime_secs", Member::kUptime},
    {"noise_floor", Member::kNoiseFloor},
    {"tx_air_secs", Member::kTxAir},
    {"rx_air_secs", Member::kRxAir},
    {"recv_errors", Member::kRecvErrors},
    {"packets_sent", Member::kSent},
    {"sent", Member::kSentShort},
    {"packets_recv", Member::kReceived},
    {"packets_received", Member::kReceivedLong},
    {"recv", Member::kReceivedShort},
    {"stats", Member::kStats},
};

std::optional<Member> FindMember(std::string_view key) {
  for (const NamedMember& named : kMembers) {
    if (key.size() == named.name.size() && std::memcmp(key.data(), named.name.data(), key.size()) == 0) {
      return named.member;
    }
  }
  return std::nullopt;
}

/// The members of an object that were there, by Member.
struct Members {
  std::array<Scalar, kMemberCount> values;
  std::array<bool, kMemberCount> present{};

  void Set(Member member, const Scalar& scalar) {
    values[static_cast<std::size_t>(member)] = scalar;
    present[static_cast<std::size_t>(member)] = true;
  }
  bool Has(Member member) const { return present[static_cast<std::size_t>(member)]; }
  const Scalar& operator[](Member member) const { return values[static_cast<std::size_t>(member)]; }
  void Clear() {
    present.fill(false);
    values.fill(Scalar());
  }
};

/// Reads an object's members; those of `stats`, when that is given, too. False when the text is malformed.
bool ReadMembers(ondemand::object object, Members& members, Members* stats) {
  for (auto field_result : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(field_result).get(field) || field.unescaped_key().get(key)) return false;
    const std::optional<Member> member = FindMember(key);
    if (!member) continue;
    ondemand::value value = field.value();
    if (*member != Member::kStats) {
      members.Set(*member, ReadScalar(value));
      continue;
    }
    ondemand::json_type type{};
    ondemand::object nested;
    if (stats == nullptr || value.type().get(type) || type != ondemand::json_type::object) continue;
    stats->Clear();
    if (value.get_object().get(nested) || !ReadMembers(nested, *stats, nullptr)) return false;
  }
  return true;
}

std::optional<std::string> ReadName(const Scalar& scalar) {
  if (scalar.kind != Scalar::Kind::kText) return std::nullopt;
  std::string_view text = scalar.text;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  return ToPrintable(TruncateUtf8(text, kMaxNameBytes));
}

std::optional<std::int16_t> RoundToInt16(std::optional<double> value, double factor) {
  if (!value) return std::nullopt;
  const double scaled = std::round(*value * factor);
  if (scaled < std::numeric_limits<std::int16_t>::min() ||
      scaled > std::numeric_limits<std::int16_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int16_t>(scaled);
}

Direction ReadDirection(const Scalar& scalar) {
  if (scalar.kind != Scalar::Kind::kText) return Direction::kUnknown;
  if (EqualsIgnoringCase(scalar.text, "rx")) return Direction::kReceived;
  if (EqualsIgnoringCase(scalar.text, "tx")) return Direction::kSent;
  return Direction::kUnknown;
}

/// The upper-case spelling counts when it is there, even if it can't be read.
std::optional<double> ReadSignal(const Members& members, Member upper, Member lower) {
  return members[members.Has(upper) ? upper : lower].Measurement();
}

std::optional<bool> ReadRepeat(const Scalar& scalar) {
  switch (scalar.kind) {
    case Scalar::Kind::kBool:
      return scalar.boolean;
    case Scalar::Kind::kNumber:
      return scalar.number != 0;
    case Scalar::Kind::kText:
      for (const std::string_view yes : {"on", "true", "1", "yes"}) {
        if (EqualsIgnoringCase(scalar.text, yes)) return true;
      }
      for (const std::string_view no : {"off", "false", "0", "no"}) {
        if (EqualsIgnoringCase(scalar.text, no)) return false;
      }
      return std::nullopt;
    case Scalar::Kind::kNone:
      return std::nullopt;
  }
  return std::nullopt;
}

/// A figure of a status: from `stats` when it is there (null there hides the one outside), else from the
/// message itself.
std::optional<double> ReadFigure(const Members& top, const Members& stats,
                                 std::initializer_list<Member> spellings) {
  for (const Members* members : {&stats, &top}) {
    for (const Member member : spellings) {
      if (members->Has(member)) return (*members)[member].Measurement();
    }
  }
  return std::nullopt;
}

/// A figure that counts something: rounded; nothing when negative or beyond 2^53.
std::optional<std::int64_t> ReadCount(const Members& top, const Members& stats,
                                      std::initializer_list<Member> spellings) {
  constexpr double kMost = 9007199254740992.0;
  const std::optional<double> figure = ReadFigure(top, stats, spellings);
  if (!figure || *figure < 0 || *figure > kMost) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*figure));
}

void ReadStatus(const Members& top, const Members& stats, PreparedStatus& status) {
  if (top[Member::kStatus].kind == Scalar::Kind::kText) {
    if (EqualsIgnoringCase(top[Member::kStatus].text, "online")) status.online = true;
    if (EqualsIgnoringCase(top[Member::kStatus].text, "offline")) status.online = false;
  }
  status.model = ReadName(top[Member::kModel]);
  status.firmware = ReadName(top[Member::kFirmwareVersion]);
  if (!status.firmware) status.firmware = ReadName(top[Member::kFirmware]);
  status.client_version = ReadName(top[Member::kClientVersion]);
  if (!status.client_version) status.client_version = ReadName(top[Member::kClientVersionSnake]);
  status.radio = ReadName(top[Member::kRadio]);
  status.can_relay = ReadRepeat(top[Member::kRepeat]);
  status.battery_mv = ReadCount(top, stats, {Member::kBattery});
  status.uptime_secs = ReadCount(top, stats, {Member::kUptime});
  status.tx_air_secs = ReadCount(top, stats, {Member::kTxAir});
  status.rx_air_secs = ReadCount(top, stats, {Member::kRxAir});
  status.recv_errors = ReadCount(top, stats, {Member::kRecvErrors});
  status.packets_sent = ReadCount(top, stats, {Member::kSent, Member::kSentShort});
  status.packets_received =
      ReadCount(top, stats, {Member::kReceived, Member::kReceivedLong, Member::kReceivedShort});
  status.noise_floor = ReadFigure(top, stats, {Member::kNoiseFloor});
}

/// The frame that `raw` spells, blanks and line ends apart. An empty result is no frame.
std::optional<Bytes> ReadHex(std::string_view raw) {
  if (raw.size() > kMaxRawCharacters) return std::nullopt;
  if (std::optional<Bytes> frame = FromHex(raw)) return frame;
  std::string digits;
  digits.reserve(raw.size());
  for (const char c : raw) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') digits += c;
  }
  return digits.size() == raw.size() ? std::nullopt : FromHex(digits);
}

PreparedDrop Drop(DropReason reason, const Receipt& receipt, std::string detail) {
  PreparedDrop drop;
  drop.reason = reason;
  drop.source = receipt.source;
  drop.received_at = receipt.received_at;
  drop.detail = std::move(detail);
  return drop;
}

std::string ShortId(const PublicKey& key) {
  return key.ToObserverId().substr(0, 8);
}

/// Short printable text of a topic or a value for a detail.
std::string Quoted(std::string_view text) {
  return "\"" + ToPrintable(ToValidUtf8(TruncateUtf8(text, 64))) + (text.size() > 64 ? "…\"" : "\"");
}

}  // namespace

struct ObserverMessageReader::Buffers {
  ondemand::parser parser;
  std::vector<char> padded;
  Members top, stats;

  /// Copies the payload to where the parser may read beyond its end, and reads the members. False when it is
  /// no JSON object.
  bool Load(std::string_view payload) {
    top.Clear();
    stats.Clear();
    if (padded.size() < payload.size() + simdjson::SIMDJSON_PADDING) {
      padded.resize(2 * payload.size() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(padded.data(), payload.data(), payload.size());
    std::memset(padded.data() + payload.size(), ' ', simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(padded.data(), payload.size(), padded.size()).get(document)) return false;
    if (document.get_object().get(object) || !ReadMembers(object, top, &stats)) return false;
    // The parser stands behind the object. What it finds there but the end makes the text no document.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  }
};

ObserverMessageReader::ObserverMessageReader() : buffers_(std::make_unique<Buffers>()) {}
ObserverMessageReader::~ObserverMessageReader() = default;

ObserverMessage ObserverMessageReader::Read(const Receipt& receipt, const MessageRules& rules) {
  if (receipt.payload.size() > rules.max_message_bytes) {
    return Drop(DropReason::kOversized, receipt,
                "a message of " + std::to_string(receipt.payload.size()) + " bytes; at most " +
                    std::to_string(rules.max_message_bytes) + " are read");
  }
  std::optional<ObserverTopic> topic = ParseObserverTopic(receipt.topic);
  if (!topic) {
    return Drop(DropReason::kUnsupportedTopic, receipt,
                "no observer's packets or status: " + Quoted(receipt.topic));
  }
  ObserverIdentity observer{topic->observer, std::move(topic->iata), std::nullopt};
  if (observer.iata == kPlaceholderIata && !rules.RegionOf(receipt.source).empty()) {
    observer.iata = rules.RegionOf(receipt.source);
  }
  const auto drop = [&](DropReason reason, std::string detail) {
    PreparedDrop refused = Drop(reason, receipt, std::move(detail));
    refused.observer = observer;
    return refused;
  };
  if (rules.IsBlacklisted(observer.key)) {
    return drop(DropReason::kBlacklistedObserver,
                "observer " + ShortId(observer.key) + "… is on the blacklist");
  }
  if (!rules.IsAllowed(observer.iata)) {
    return drop(DropReason::kIataNotAllowed, "region " + observer.iata + " is not on the allow-list");
  }
  if (!buffers_->Load(receipt.payload)) {
    return drop(DropReason::kMalformedJson, "the payload is no JSON object in UTF-8");
  }
  const Members& top = buffers_->top;
  const Scalar& origin_id = top[Member::kOriginId];
  if (origin_id.kind == Scalar::Kind::kText && !origin_id.text.empty() &&
      PublicKey::FromHex(origin_id.text) != observer.key) {
    return drop(DropReason::kOriginMismatch, "origin_id " + Quoted(origin_id.text.substr(0, 8)) +
                                                 "… on the topic of " + ShortId(observer.key) + "…");
  }
  observer.name = ReadName(top[Member::kOrigin]);

  if (topic->kind == TopicKind::kStatus) {
    PreparedStatus status;
    status.observer = std::move(observer);
    status.source = receipt.source;
    status.received_at = receipt.received_at;
    status.retained = receipt.retained;
    ReadStatus(top, buffers_->stats, status);
    return status;
  }

  if (!rules.PassesFilter(receipt.source, observer.iata)) {
    return drop(DropReason::kFilteredBySource,
                "region " + observer.iata + " is not in the source's iataFilter");
  }
  const Scalar& raw = top[Member::kRaw];
  if (raw.kind != Scalar::Kind::kText || raw.text.empty()) {
    return drop(DropReason::kMissingRaw, "no text in \"raw\"");
  }
  std::optional<Bytes> frame = ReadHex(raw.text);
  if (!frame || frame->empty()) {
    return drop(DropReason::kInvalidHex,
                "\"raw\" is not in hexadecimal digits: " + Quoted(raw.text.substr(0, 32)));
  }
  PacketReport report;
  report.observer = std::move(observer);
  report.frame = std::move(*frame);
  report.direction = ReadDirection(top[Member::kDirection]);
  if (report.direction != Direction::kSent) {
    report.snr_quarter_db = RoundToInt16(ReadSignal(top, Member::kSnrUpper, Member::kSnr), 4);
    report.rssi_dbm = RoundToInt16(ReadSignal(top, Member::kRssiUpper, Member::kRssi), 1);
  }
  if (top[Member::kTimestamp].kind == Scalar::Kind::kText) {
    report.device_time = CompareDeviceTime(top[Member::kTimestamp].text, receipt.received_at);
  }
  return report;
}

}  // namespace heliograph::ingestor
