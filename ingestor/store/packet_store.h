#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/identity_key.h"
#include "ingestor/prepared.h"
#include "ingestor/store/recent_map.h"

namespace heliograph::ingestor {

/// What became of a packet.
struct StoredPacket {
  std::int64_t transmission_id = 0;
  bool new_transmission = false;
  bool over_limit = false;  ///< the transmission has as many observations as one may have
  bool new_observation =
      false;  ///< false: this reception is stored already, by another broker or an earlier run
};

/// Transmissions, unique by content hash, and their observations, unique by observer, path_len and path. Ids
/// only grow, also across retention and restarts. Used by the writer's thread, inside its transaction.
class PacketStore {
 public:
  /// How much is remembered of what was stored last. Receptions of one transmission arrive within minutes of
  /// each other; what is forgotten is read again.
  struct Memory {
    std::size_t transmissions = 32'768;
    std::size_t receptions =
        1'000'000;  ///< of all transmissions together: 8 MB however many observers report
  };

  explicit PacketStore(SQLite::Database& database) : PacketStore(database, Memory()) {}
  /// REQUIRED: both limits are positive.
  PacketStore(SQLite::Database& database, Memory memory);

  /// Stores the reception unless it is known. A transmission's own row is written by Flush, once for all its
  /// receptions.
  StoredPacket Add(const PreparedPacket& packet, IdentityKey observer, std::optional<IdentityKey> origin);

  /// Writes the rows of the transmissions that Add has touched. REQUIRED before the transaction commits.
  void Flush();

  /// Reads the highest ids again if Forget was called. REQUIRED at the start of each transaction.
  void Prepare();
  /// Forgets everything in memory. REQUIRED after a rollback, and after rows were deleted.
  void Forget() noexcept;

  /// The highest observation id given so far; what a snapshot's watermark is compared with.
  std::int64_t watermark() const { return next_observation_ - 1; }
  std::int64_t highest_transmission() const { return next_transmission_ - 1; }

 private:
  struct Transmission {
    std::int64_t id = 0;
    std::int64_t base_ms = 0, first_ms = 0, last_ms = 0;
    std::int64_t observation_count = 0;
    std::optional<std::string> channel, scope;
    std::optional<IdentityKey> origin;
    PayloadType type{};
    Bytes payload;                          ///< until the row is written
    std::vector<std::uint64_t> receptions;  ///< fingerprints of the stored observations, sorted
    bool stored = false, dirty = false;
  };

  std::shared_ptr<Transmission> Find(const ContentHash& hash);
  std::shared_ptr<Transmission> Create(const PreparedPacket& packet, std::optional<IdentityKey> origin);
  void LoadReceptions(Transmission& transmission);
  void Remember(const ContentHash& hash, std::shared_ptr<Transmission> transmission);
  void ForgetOldest();
  void InsertObservation(const PreparedPacket& packet, IdentityKey observer,
                         const Transmission& transmission);
  void Write(const ContentHash& hash, Transmission& transmission);

  SQLite::Database& database_;
  const Memory memory_;
  SQLite::Statement select_, select_receptions_, insert_, update_, insert_observation_;
  RecentMap<ContentHash, std::shared_ptr<Transmission>> recent_;
  std::size_t remembered_receptions_ = 0;  ///< of all transmissions in recent_
  std::vector<std::pair<ContentHash, std::shared_ptr<Transmission>>> touched_;
  bool ids_known_ = false;
  std::int64_t next_transmission_ = 1;
  std::int64_t next_observation_ = 1;
};

/// How an observation's `flags` are made of direction and trust.
std::int64_t ObservationFlags(Direction direction, DeviceTimeTrust trust);

}  // namespace heliograph::ingestor
