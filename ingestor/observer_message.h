#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "common/config.h"
#include "ingestor/prepared.h"
#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// What is asked of every message before it is looked into. Comparisons ignore case.
class MessageRules {
 public:
  /// What one source asks of its messages, in upper-case where case does not matter.
  struct SourceRules {
    std::unordered_set<std::string> iata_filter;  ///< empty: every region passes
    std::string region;                           ///< stands for a topic's placeholder
  };

  MessageRules() = default;
  /// The rules of `config`. `sources` are those that the ingestor was started with, in the order of
  /// SourceIndex; a source beyond its end has no rules of its own.
  MessageRules(const Config& config, const std::vector<MqttSourceConfig>& sources);

  bool IsBlacklisted(const PublicKey& observer) const { return blacklist_.count(observer) != 0; }
  /// REQUIRED, here and below: `iata` is upper-case.
  bool IsAllowed(const std::string& iata) const { return allowed_.empty() || allowed_.count(iata) != 0; }
  bool PassesFilter(SourceIndex source, const std::string& iata) const;
  /// The region that replaces the placeholder in the topics of `source`; empty when it has none.
  const std::string& RegionOf(SourceIndex source) const;

  /// Bytes that a payload may have; a longer one is kOversized unread.
  std::size_t max_message_bytes = kDefaultMaxMessageBytes;
  static constexpr std::size_t kDefaultMaxMessageBytes = 256 << 10;

 private:
  std::unordered_set<PublicKey> blacklist_;
  std::unordered_set<std::string> allowed_;
  std::vector<SourceRules> sources_;
};

enum class TopicKind : std::uint8_t { kPackets, kStatus };

/// A topic of one of the two kinds that matter here.
struct ObserverTopic {
  PublicKey observer;
  std::string iata;  ///< upper-case
  TopicKind kind{};
};

/// Reads `<prefix>/<IATA>/<64 hex digits>/packets` and `.../status`, with any prefix of one level. Nothing
/// for every other topic: companion bridges (`meshcore/message/…`), mobile clients
/// (`meshcore/client/<key>/packets`), `raw`, `debug`, `neighbors`, `internal` and the like, and for a key of
/// zeros.
std::optional<ObserverTopic> ParseObserverTopic(std::string_view topic);

/// A number as observers write it: decimal, perhaps with a sign, an exponent and one unit at its end (dBm,
/// dB, mW, mV, km, mi, m, s, % in any case), blanks around. Nothing for other text ("Unknown", "", "NaN",
/// "inf").
std::optional<double> ParseMeasurement(std::string_view text);

/// What a message of an observer about a packet says, before the frame is taken apart.
struct PacketReport {
  ObserverIdentity observer;
  Bytes frame;
  DeviceTime device_time;
  Direction direction = Direction::kUnknown;
  std::optional<std::int16_t> snr_quarter_db;  ///< rounded to nearest; nothing when sent
  std::optional<std::int16_t> rssi_dbm;        ///< rounded to nearest; nothing when sent
};

using ObserverMessage = std::variant<PacketReport, PreparedStatus, PreparedDrop>;

/// The observer's clock as its message's `timestamp` shows it beside the receipt (see DeviceTimeTrust).
DeviceTime CompareDeviceTime(std::string_view timestamp, UtcMillis received_at);

/// Reads messages of observers. It keeps its buffers from message to message: one instance for each thread.
///
/// The first check that fails names the drop: size; topic; blacklist; allow-list; JSON; `origin_id`; then for
/// packets the source's filter, `raw`, its hex digits. The order of CoreScope but for JSON, which comes after
/// everything that the topic alone decides: nobody's text on another topic is called malformed, and what is
/// refused costs next to nothing.
///
/// The region is the topic's, for the filters as for what is stored: the broker checks the topic, not the
/// payload, and with two sources of truth an observer would change its region from message to message.
/// `region` in the payload is not looked at. The firmware's placeholder XXX is replaced by the source's
/// region.
///
/// Of members that occur twice the last one counts. Members that are not used are not validated beyond their
/// structure.
class ObserverMessageReader {
 public:
  ObserverMessageReader();
  ~ObserverMessageReader();
  ObserverMessageReader(const ObserverMessageReader&) = delete;
  ObserverMessageReader& operator=(const ObserverMessageReader&) = delete;

  /// What `receipt` says. Any input is fine; nothing is thrown but std::bad_alloc.
  ObserverMessage Read(const Receipt& receipt, const MessageRules& rules);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace heliograph::ingestor
