#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "common/ascii_case.h"
#include "common/text.h"
#include "ingestor/observer_message.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kMaxIataBytes = 16;

bool IsIata(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  if (text.empty() || text.size() > kMaxIataBytes || !std::all_of(text.begin(), text.end(), is_allowed))
    return false;
  return !EqualsIgnoringCase(text, "client") && !EqualsIgnoringCase(text, "message");
}

}  // namespace

MessageRules::MessageRules(const Config& config, const std::vector<MqttSourceConfig>& sources) {
  for (const std::string& id : config.observer_blacklist) {
    if (const auto key = PublicKey::FromHex(TrimSpace(id))) blacklist_.insert(*key);
  }
  for (const std::string& iata : config.observer_iata_whitelist) allowed_.insert(UpperAscii(TrimSpace(iata)));
  for (const MqttSourceConfig& source : sources) {
    SourceRules rules;
    for (const std::string& iata : source.iata_filter) rules.iata_filter.insert(UpperAscii(TrimSpace(iata)));
    rules.region = UpperAscii(TrimSpace(source.region));
    sources_.push_back(std::move(rules));
  }
}

bool MessageRules::PassesFilter(SourceIndex source, const std::string& iata) const {
  const auto index = static_cast<std::size_t>(source);
  if (index >= sources_.size() || sources_[index].iata_filter.empty()) return true;
  return sources_[index].iata_filter.count(iata) != 0;
}

const std::string& MessageRules::RegionOf(SourceIndex source) const {
  static const std::string kNone;
  const auto index = static_cast<std::size_t>(source);
  return index < sources_.size() ? sources_[index].region : kNone;
}

std::optional<ObserverTopic> ParseObserverTopic(std::string_view topic) {
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t slash = topic.find('/');
    const bool last = i + 1 == parts.size();
    if (last != (slash == std::string_view::npos)) return std::nullopt;
    parts[i] = topic.substr(0, slash);
    if (!last) topic.remove_prefix(slash + 1);
  }
  ObserverTopic read;
  if (parts[3] == "packets") {
    read.kind = TopicKind::kPackets;
  } else if (parts[3] == "status") {
    read.kind = TopicKind::kStatus;
  } else {
    return std::nullopt;
  }
  const std::optional<PublicKey> key = PublicKey::FromHex(parts[2]);
  if (parts[0].empty() || !IsIata(parts[1]) || !key || key->IsZero()) return std::nullopt;
  read.observer = *key;
  read.iata = UpperAscii(parts[1]);
  return read;
}

std::optional<double> ParseMeasurement(std::string_view text) {
  constexpr std::string_view kUnits[] = {"dBm", "dB", "mW", "mV", "km", "mi", "m", "s", "%"};
  text = TrimSpace(text);
  for (const std::string_view unit : kUnits) {
    if (text.size() >= unit.size() && EqualsIgnoringCase(text.substr(text.size() - unit.size()), unit)) {
      text = TrimSpace(text.substr(0, text.size() - unit.size()));
      break;
    }
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

DeviceTime CompareDeviceTime(std::string_view timestamp, UtcMillis received_at) {
  using std::chrono::days;
  using std::chrono::hours;
  const std::optional<ParsedTime> parsed = ParseTime(TrimSpace(timestamp));
  if (!parsed) return {};
  const std::chrono::milliseconds offset = parsed->time - received_at;
  DeviceTime compared{DeviceTimeTrust::kTrusted, offset.count()};
  if (parsed->zone == TimeZoneKnowledge::kNaive) {
    compared.trust = DeviceTimeTrust::kNaive;
  } else if (offset > hours(14) || offset < -days(30)) {
    compared.trust = DeviceTimeTrust::kImplausible;
  }
  return compared;
}

}  // namespace heliograph::ingestor
