#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/advert.h"
#include "common/packet.h"
#include "common/public_key.h"
#include "common/time.h"
#include "ingestor/receipt.h"

namespace heliograph::ingestor {

/// How far the time that an observer wrote into its message can be believed.
enum class DeviceTimeTrust : std::uint8_t {
  kAbsent = 0,       ///< none, or unreadable
  kTrusted = 1,      ///< with a zone, and plausible beside the receipt
  kNaive = 2,        ///< without a zone: may be local time
  kImplausible = 3,  ///< with a zone, but more than 14 h ahead or 30 d behind the receipt
};

/// The observer's own clock beside the receipt.
struct DeviceTime {
  DeviceTimeTrust trust = DeviceTimeTrust::kAbsent;
  std::int64_t offset_ms = 0;  ///< device less receipt; 0 when absent
};

enum class Direction : std::uint8_t { kUnknown = 0, kReceived = 1, kSent = 2 };

/// Who published a message, as its topic says.
struct ObserverIdentity {
  PublicKey key;
  std::string iata;  ///< upper-case
  std::optional<std::string>
      name;  ///< `origin`; nothing when absent or empty, which never erases a known name
};

/// A packet that is worth a row: decoded, hashed, and, if it is an advert, validated and verified.
struct PreparedPacket {
  ObserverIdentity observer;
  SourceIndex source{};
  UtcMillis received_at{};
  DeviceTime device_time;
  Direction direction = Direction::kUnknown;
  std::optional<std::int16_t> snr_quarter_db;  ///< nothing for a sent packet
  std::optional<std::int16_t> rssi_dbm;        ///< nothing for a sent packet
  Packet packet;
  ContentHash hash;
  std::optional<Advert> advert;        ///< present exactly when the payload is a well-formed advert
  bool outside_geo_filter = false;     ///< of the advert's position
  std::optional<std::string> channel;  ///< group packets: the channel's name, or "enc_<HH>" when no key fits
  std::optional<std::string>
      scope;  ///< nothing: unscoped; empty: scoped by an unknown key; else the region's name
};

/// What an observer says of itself. Absent members never erase what is known.
struct PreparedStatus {
  ObserverIdentity observer;
  SourceIndex source{};
  UtcMillis received_at{};
  bool retained = false;       ///< a retained status proves no life
  std::optional<bool> online;  ///< `status`
  std::optional<std::string> model, firmware, client_version, radio;
  std::optional<std::int64_t> battery_mv, uptime_secs, tx_air_secs, rx_air_secs, recv_errors, packets_sent,
      packets_received;
  std::optional<double> noise_floor;
  std::optional<bool> can_relay;  ///< `repeat`

  /// True when there is a figure for observer_metrics.
  bool HasMetrics() const {
    return battery_mv || uptime_secs || tx_air_secs || rx_air_secs || recv_errors || packets_sent ||
           packets_received || noise_floor;
  }
};

/// Why a message left no row. Each has a name (Name) under which it is counted and shown.
enum class DropReason : std::uint8_t {
  kMalformedJson,     ///< no JSON object, or invalid UTF-8
  kUnsupportedTopic,  ///< another topic than packets and status, or no observer key in it
  kOriginMismatch,    ///< `origin_id` is another key than the topic's
  kBlacklistedObserver,
  kIataNotAllowed,    ///< the global allow-list
  kFilteredBySource,  ///< the source's own IATA filter; packets only
  kMissingRaw,
  kInvalidHex,
  kInvalidFrame,   ///< DecodeFrame refused it; the detail says why
  kInvalidAdvert,  ///< impossible position, forbidden characters in the name, zero key; the detail says which
  kInvalidSignature,
  kOutsideGeoFilter,  ///< only in the mode `drop`
  kOversized,         ///< longer than a message may be
};
inline constexpr std::size_t kDropReasonCount = 13;

/// Lower-case with underscores: "invalid_signature".
std::string_view Name(DropReason reason);

/// A message that was refused. Those about packets are kept, capped, in dropped_packets.
struct PreparedDrop {
  DropReason reason{};
  SourceIndex source{};
  UtcMillis received_at{};
  std::string detail;  ///< for a person; printable
  std::optional<ObserverIdentity> observer;
  std::optional<ContentHash> hash;
  Bytes raw;                      ///< the frame, when there was one
  std::optional<PublicKey> node;  ///< of a refused advert
  std::string node_name;
};

using Prepared = std::variant<PreparedPacket, PreparedStatus, PreparedDrop>;

}  // namespace heliograph::ingestor
