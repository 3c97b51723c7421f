#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/identity_key.h"
#include "common/time.h"
#include "server/analytics/hop_key.h"
#include "server/analytics/reception.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// A node's own flood adverts that carried one hash size.
struct SizeTally {
  std::uint32_t adverts = 0;    ///< transmissions
  std::uint32_t with_hops = 0;  ///< those of them that were heard after at least one hop
  UtcMillis last_heard{};
  std::int64_t last_transmission = 0;
  std::int64_t last_with_hops = 0;
};

/// One advert, for the order in which a node's sizes came.
struct SizeSample {
  std::int64_t transmission = 0;
  UtcMillis heard_at{};
  std::uint8_t size = 1;
  bool flood = true;
};

/// What a node's own adverts showed.
struct AdvertEvidence {
  std::array<SizeTally, 3> flood{};     ///< by hash size less one
  std::vector<SizeSample> newest;       ///< by time, oldest first; at most kMaxSamples
  std::uint8_t sizes_seen = 0;          ///< bit n: size n + 1
  std::vector<std::int64_t> observers;  ///< who heard any of its adverts, sorted; at most kMaxObservers

  static constexpr std::size_t kMaxSamples = 12;
  static constexpr std::size_t kMaxObservers = 4096;
};

/// How often a hop stood in flood paths.
struct HopTally {
  std::uint64_t observations = 0;
  std::uint32_t transmissions = 0;  ///< at least so many: one that comes back late is not counted again
  UtcMillis first_heard{}, last_heard{};
  std::int64_t last_transmission = 0;
  std::int64_t last_observation = 0;
};

/// One multi-byte hash in flood paths. A packet that was signed by somebody whose key fits the hash is told
/// apart, for a node is never the relay of its own packet.
struct HopEvidence {
  HopTally others;  ///< packets whose signer, if any, does not fit the hash
  std::vector<std::pair<std::int64_t, HopTally>>
      by_origin;  ///< packets whose signer fits; at most kMaxOrigins

  static constexpr std::size_t kMaxOrigins = 16;
  UtcMillis LastHeard() const;
};

/// Accumulates what packets prove about capability: per node for its own adverts, per distinct hash for hops.
/// Costs memory for nodes and hashes, never for packets. Not thread-safe.
class CapabilityEvidenceStore {
 public:
  static constexpr std::size_t kDefaultMaxHops = 200'000;
  explicit CapabilityEvidenceStore(std::size_t max_hops = kDefaultMaxHops) : max_hops_(max_hops) {}

  /// REQUIRED: receptions come in the order of their observation ids.
  void Add(const Reception& reception);

  /// Null when nothing is known.
  const AdvertEvidence* AdvertsOf(IdentityKey node) const;
  const HopEvidence* HopsOf(HopKey hop) const;

  std::size_t hop_count() const { return hops_.size(); }
  /// Hashes that were forgotten, the longest unheard first, because there were more than the limit.
  std::uint64_t evicted_hops() const { return evicted_hops_; }

  /// What changed since the last call.
  struct Changes {
    std::unordered_set<std::int64_t> origins;
    std::unordered_set<std::uint32_t> hops;
  };
  Changes TakeChanges();

 private:
  void AddAdvert(const Reception& reception);
  void AddHops(const Reception& reception);
  void EvictLongestUnheard();

  const std::size_t max_hops_;
  std::unordered_map<std::int64_t, AdvertEvidence> adverts_;
  std::unordered_map<std::uint32_t, HopEvidence> hops_;
  std::uint64_t evicted_hops_ = 0;
  Changes changes_;
};

/// The sizes that a node's adverts showed, as clients get them.
AdvertisedHashSize SummariseSizes(const AdvertEvidence& evidence);

}  // namespace heliograph::server
