#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/capability.h"
#include "common/identity_key.h"
#include "common/public_key.h"
#include "common/switch_readiness.h"
#include "common/time.h"

namespace heliograph::server {

struct MeshModel;

/// A node's capability as the server knows it: from the database until the first analytics cycle, from then
/// on the stronger of the database's and the cycle's.
struct NodeCapability {
  CapabilityStatus status = CapabilityStatus::kUnknown;
  std::optional<CapabilityEvidence> evidence;
  std::optional<std::uint8_t> max_hash_size;
  bool adopted = false;
  bool likely_legacy = false;
  std::optional<double> probability;
  std::uint64_t advert_proofs = 0;
  std::uint64_t relay_proofs = 0;
  std::uint64_t path_hints = 0;
  std::optional<UtcMillis> last_proof_at;

  bool operator==(const NodeCapability&) const = default;
};

/// The sizes of path hashes that a node's own adverts showed. Zero-hop direct adverts say nothing and are not
/// in it.
struct AdvertisedHashSize {
  std::optional<std::uint8_t> newest;  ///< of the newest advert that carries a size
  bool inconsistent = false;           ///< at least 3 adverts, 2 changes, and the last 3 do not agree
  std::vector<std::uint8_t> seen;      ///< ascending, each once

  bool operator==(const AdvertisedHashSize&) const = default;
};

/// One row of `nodes` or `inactive_nodes`, with what the server derived for it.
struct NodeView {
  IdentityKey key{};
  PublicKey public_key;
  std::optional<std::string> name;
  std::string role;
  std::optional<double> lat, lon;
  UtcMillis first_seen{}, last_seen{};
  std::int64_t advert_count = 0;
  std::optional<std::int64_t> battery_mv;
  std::optional<double> temperature_c;
  bool foreign = false;
  std::optional<std::string> default_scope;
  bool active = true;  ///< false for a row of inactive_nodes
  NodeCapability capability;
  AdvertisedHashSize hash_size;
  std::vector<std::string> regions;  ///< IATA codes of the observers that heard its adverts, sorted

  bool operator==(const NodeView&) const = default;
};

/// One row of `observers`.
struct ObserverView {
  IdentityKey key{};
  std::string id;  ///< upper-case hex
  std::optional<std::string> name;
  std::string iata;
  UtcMillis first_seen{}, last_seen{};
  std::optional<UtcMillis> last_packet_at, last_status_at;
  std::optional<bool> online;
  std::int64_t packet_count = 0;
  std::int64_t packets_last_hour = 0;  ///< in data time
  std::optional<std::string> model, firmware, client_version, radio;
  std::optional<std::int64_t> battery_mv, uptime_secs;
  std::optional<double> noise_floor;
  bool inactive = false;
  std::optional<bool> can_relay;
  std::optional<std::int64_t> clock_skew_seconds;
  std::int64_t clock_skew_count_24h = 0;
  std::optional<UtcMillis> clock_last_naive_at;
};

/// Totals for /api/stats. Windows are measured in data time.
struct MeshTotals {
  std::int64_t transmissions = 0;
  std::int64_t observations = 0;
  std::int64_t transmissions_last_hour = 0;
  std::int64_t transmissions_last_24h = 0;
};

/// How far the derived parts have come.
enum class AnalyticsProgress {
  kWarm,      ///< capability is the last one that the database holds; the packets are still being read
  kComplete,  ///< every packet up to the watermark is in it
};

/// All that the server keeps in memory about the mesh, as of one moment. Immutable: handlers hold a
/// shared_ptr to it for as long as they need, and never see a mixture of two moments.
struct MeshView {
  std::uint64_t nodes_generation = 0;      ///< changes when anything about any node does
  std::uint64_t observers_generation = 0;  ///< likewise for observers
  std::uint64_t generation = 0;            ///< changes with every new view
  AnalyticsProgress progress = AnalyticsProgress::kWarm;
  std::string epoch;                   ///< of the database
  std::int64_t watermark = 0;          ///< highest observation id that is in the derived parts
  std::int64_t head_seq = 0;           ///< commit that main stood at
  std::optional<UtcMillis> data_time;  ///< newest receipt at the watermark; nothing when there are no packets
  MeshTotals totals;
  std::shared_ptr<const SwitchReadiness> readiness;  ///< as the database has it; null: it has none
  /// What the probabilities rest on; null until the first analytics cycle.
  std::shared_ptr<const MeshModel> model;
  std::size_t known_keys = 0;  ///< nodes and observers, each key once: who can be behind a hop
  std::vector<std::shared_ptr<const NodeView>> nodes;           ///< active and inactive, sorted by key bytes
  std::vector<std::shared_ptr<const ObserverView>> observers;   ///< sorted by last_seen, newest first
  std::unordered_map<PublicKey, std::size_t> node_index;        ///< into `nodes`
  std::unordered_map<std::string, std::size_t> observer_index;  ///< by upper-case id, into `observers`
  std::unordered_map<std::int64_t, std::size_t> observer_by_key;  ///< by identity key, into `observers`

  /// The node with this key, or null. Constant time.
  const NodeView* FindNode(const PublicKey& public_key) const;
  /// The observer with this id in upper-case, or null. Constant time.
  const ObserverView* FindObserver(std::string_view id) const;
};

/// Where handlers get the present view. Thread-safe; never null once the server is ready.
class MeshViewSource {
 public:
  virtual ~MeshViewSource() = default;
  virtual std::shared_ptr<const MeshView> Current() const = 0;
};

}  // namespace heliograph::server
