#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/identity_key.h"
#include "common/packet.h"
#include "common/public_key.h"
#include "common/time.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// One reception, as stored.
struct StoredObservation {
  std::int64_t id = 0;
  std::int64_t observer_key = 0;
  UtcMillis received_at{};
  RouteType route = RouteType::kFlood;
  PathLength path_length;
  Bytes path;
  std::optional<TransportCodes> transport_codes;
  std::uint8_t direction = 0;  ///< 0 unknown, 1 received, 2 sent
  std::optional<std::int64_t> snr_quarter_db, rssi_dbm;
};

/// One transmission with those of its observations that were asked for.
struct StoredTransmission {
  std::int64_t id = 0;
  ContentHash hash;
  PayloadType payload_type = PayloadType::kRequest;
  Bytes payload;
  UtcMillis base_time{}, first_seen{}, last_seen{};
  std::int64_t observation_count = 0;
  std::optional<std::string> channel, scope;
  std::optional<StoredObservation> display;     ///< the one with the longest path, the first on ties
  std::vector<StoredObservation> observations;  ///< in the order of reception; only when asked for
  std::vector<std::int64_t> observer_keys;      ///< of all observations, sorted, each once
};

/// Which transmissions are wanted. Members that are nothing filter nothing. `route` and `observers` ask for
/// one observation that has both.
struct PacketFilter {
  std::optional<PayloadType> type;
  std::optional<RouteType> route;
  std::optional<std::vector<std::int64_t>> observers;  ///< heard by one of these; none: nothing is found
  std::optional<ContentHash> hash;
  std::optional<UtcMillis> since, until;            ///< first seen, both ends included
  std::optional<std::vector<IdentityKey>> origins;  ///< adverts that one of these nodes signed
  std::optional<std::string> channel;
  std::vector<IdentityKey> hidden_origins;
  std::vector<PublicKey> hidden_keys;  ///< likewise, for those that are no nodes

  /// True when everything passes that is not hidden.
  bool PassesAll() const {
    return !type && !route && !observers && !hash && !since && !until && !origins && !channel;
  }
};

enum class PacketOrder {
  kNewestFirst,  ///< by the order of ingest
  kOldestFirst,
  kLatestFirst,  ///< by the newest observation
};

struct PacketWindow {
  std::int64_t limit = 50;
  std::int64_t offset = 0;
  PacketOrder order = PacketOrder::kNewestFirst;
  bool with_observations = false;
  bool with_total = true;
  std::optional<std::int64_t> transmissions;  ///< all that are stored, when known: then they are not counted
};

/// True when such a page may be long in the making: rows are looked at in vain, sorted, or counted one by
/// one.
bool IsScan(const PacketFilter& filter, const PacketWindow& window);

struct PacketPage {
  std::vector<StoredTransmission> packets;
  std::optional<std::int64_t>
      total;  ///< of what passes; nothing when it was not asked for or took too long to count
};

/// A page in a fixed number of queries, all of one moment. Throws as ReaderPool::Read.
PacketPage LoadPacketPage(ReaderPool& readers, const PacketFilter& filter, const PacketWindow& window);

/// The transmission with this content hash, with all observations. Throws as ReaderPool::Read.
std::optional<StoredTransmission> LoadPacket(ReaderPool& readers, const ContentHash& hash);
/// The transmission with this id or, when there is none, the one that the observation with this id belongs
/// to.
std::optional<StoredTransmission> LoadPacket(ReaderPool& readers, std::int64_t id);

/// One reception with its transmission, which is displayed as it was heard then.
struct StoredReception {
  StoredTransmission transmission;
  std::optional<PublicKey> origin;  ///< who signed it: adverts only
};
/// The receptions after the observation `after`, in the order of ingest, at most `limit`; those that cannot
/// be read are left out. Sets `last` to the observation that was looked at last. Reads in the caller's
/// transaction.
std::vector<StoredReception> LoadReceptions(ReaderConnection& reader, std::int64_t after, std::size_t limit,
                                            std::int64_t& last);

/// The frame as this observer heard it, to the byte.
Packet FrameOf(const StoredTransmission& transmission, const StoredObservation& observation);

}  // namespace heliograph::server
