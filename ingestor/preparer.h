#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/config.h"
#include "common/crypto.h"
#include "common/geo_filter.h"
#include "common/key_ring.h"
#include "common/region_scope.h"
#include "ingestor/observer_message.h"
#include "ingestor/prepared.h"
#include "ingestor/receipt.h"
#include "ingestor/recent_results.h"

namespace heliograph::ingestor {

/// Turns a message into what the writer stores: everything that can be done off the writer's thread.
/// Thread-safe.
///
/// A packet passes, in this order: the message's own checks (ObserverMessageReader); the frame (DecodeFrame);
/// and, if it is an advert: its fields, what can't be (FindImplausibility), the signature, the area. A
/// payload of an advert that is too short, or whose flags promise more than there is, is refused with
/// kInvalidAdvert: the firmware drops such packets and nobody relays them, while CoreScope keeps them as
/// packets without a node. Everything else that DecodeFrame takes is a packet, also when its payload is too
/// short for its type, for only its receiver could tell.
class Preparer {
 public:
  struct Settings {
    MessageRules rules;
    KeyRing channel_keys;
    RegionScopes regions;
    GeoFilter geo_filter;
    ForeignAdverts foreign_adverts = ForeignAdverts::kFlag;
    bool validate_signatures = true;
    std::size_t remembered_results = 65536;  ///< for each of: signatures, channels, scopes
    std::function<bool(const Advert&)> verify = VerifySignature;
  };

  explicit Preparer(Settings settings);

  /// The settings that `config` asks for; `sources` as MessageRules takes them. An error as LoadChannelKeys
  /// gives it.
  static tl::expected<Settings, std::string> SettingsOf(const Config& config,
                                                        const std::vector<MqttSourceConfig>& sources);

  /// Any message is fine. The signature of an advert is verified once for each content, valid or not, as long
  /// as it is remembered. Throws std::runtime_error only when OpenSSL fails.
  Prepared Prepare(const Receipt& receipt);

  /// What the frame in `packet` means: its hash, and, as for a new message, advert, channel and scope. A drop
  /// when its advert is refused. The rules about messages and observers are not asked.
  Prepared Interpret(PreparedPacket packet);

 private:
  using Fingerprint = std::array<std::uint8_t, 16>;
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& fingerprint) const noexcept;
  };
  struct ScopeQuestion {
    ContentHash content;
    std::uint16_t code = 0;
    bool operator==(const ScopeQuestion&) const = default;
  };
  struct ScopeQuestionHash {
    std::size_t operator()(const ScopeQuestion& question) const noexcept;
  };

  Prepared PrepareFrame(const Receipt& receipt, PacketReport report);
  /// Why the advert is refused; nothing when `packet.advert` is set and good.
  std::optional<PreparedDrop> PrepareAdvert(PreparedPacket& packet);
  bool HasValidSignature(const Advert& advert, ByteView payload);
  std::optional<std::string> ChannelOf(const Packet& packet, const ContentHash& hash);
  std::optional<std::string> ScopeOf(const Packet& packet, const ContentHash& hash);

  const Settings settings_;
  /// By half of SHA-256 over the payload, not by content hash: the 8 bytes of that can be made to collide,
  /// and then a forged advert would pass for the signed one.
  RecentResults<Fingerprint, bool, FingerprintHash> signatures_;
  RecentResults<ContentHash, std::string> channels_;
  RecentResults<ScopeQuestion, std::optional<std::string>, ScopeQuestionHash> scopes_;
};

}  // namespace heliograph::ingestor
