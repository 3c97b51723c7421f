#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/packet.h"
#include "common/public_key.h"
#include "common/time.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A packet that shows a node using or carrying path hashes of 2 bytes or more.
struct CapabilityProof {
  std::int64_t transmission_id = 0;
  ContentHash hash;
  PayloadType payload_type = PayloadType::kRequest;
  UtcMillis received_at{};
  std::int64_t observer_key = 0;
  std::size_t hash_size = 0;
  std::vector<PathHash> path;
  std::optional<std::size_t> hop;          ///< the place of its hash in `path`; nothing for its own advert
  std::optional<std::int64_t> origin_key;  ///< of the node that signed the packet
  /// Its one multi-byte advert, heard at 0 hops beside others of size 1: DecideCapability says why that shows
  /// nothing.
  bool undecided = false;
};

struct ProofSearch {
  std::size_t max_adverts = 10;
  std::size_t max_hops = 20;
  bool with_hops = true;  ///< false: only its own adverts, without the long search through all packets
  std::chrono::milliseconds time_limit{500};
  std::optional<std::int64_t> watermark;  ///< only observations up to this id
};

struct CapabilityProofs {
  std::vector<CapabilityProof> proofs;  ///< own adverts, then paths; each newest first, one for each packet
  bool truncated = false;               ///< there may be more: a limit or the time was used up
};

/// Looks for the newest proofs that `key` can do multi-byte: its own signed flood adverts, and flood paths
/// with its 2- or 3-byte hash, but for packets that it signed itself. Whether the hash is another node's too
/// is for the caller to tell. The reader must be in a transaction; SQLite::Exception passes through.
CapabilityProofs FindProofs(ReaderConnection& reader, const PublicKey& key, const ProofSearch& search);

}  // namespace heliograph::server
