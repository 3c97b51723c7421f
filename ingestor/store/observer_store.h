#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/identity_key.h"
#include "ingestor/prepared.h"
#include "ingestor/store/recent_map.h"
#include "ingestor/store/revision.h"

namespace heliograph::ingestor {

/// Observers and the figures that they report. Used by the writer's thread, inside its transaction.
class ObserverStore {
 public:
  /// Figures of observers are kept once for each slot of `sample_interval`.
  ObserverStore(SQLite::Database& database, Revision& revision, std::chrono::seconds sample_interval);

  /// The observer published `packet`, which is a new observation: it is alive, and the packet counts.
  void TakePacket(const PreparedPacket& packet, IdentityKey observer);
  /// The observer said `status` of itself. Only one that is neither retained nor "offline" proves life, and
  /// an observer comes into being by its first proof of life.
  void TakeStatus(const PreparedStatus& status, IdentityKey observer);

  /// Writes the rows that were touched. REQUIRED before the transaction commits.
  void Flush();
  /// Forgets everything in memory. REQUIRED after a rollback, and after another statement changed the table.
  void Forget() noexcept;

  /// Marks observers inactive that were last alive before `cutoff`. Returns how many.
  std::size_t Retire(UtcMillis cutoff);

 private:
  struct Observer {
    IdentityKey key{};
    std::string id;
    std::optional<std::string> name;
    std::string iata;
    std::int64_t first_ms = 0, last_ms = 0;
    std::optional<std::int64_t> last_packet_ms, last_status_ms;
    std::optional<bool> online;
    std::int64_t packet_count = 0;
    std::optional<std::string> model, firmware, client_version, radio;
    std::optional<std::int64_t> battery_mv, uptime_secs;
    std::optional<double> noise_floor;
    bool inactive = false;
    std::optional<bool> can_relay;
    std::optional<std::int64_t> skew_seconds;
    std::int64_t skew_count = 0;
    std::optional<std::int64_t> naive_ms;
    bool stored = false;  ///< there is a row, perhaps an older one
    bool dirty = false;
  };

  std::shared_ptr<Observer> FindOrCreate(const ObserverIdentity& identity, IdentityKey key, UtcMillis at);
  std::shared_ptr<Observer> Read(IdentityKey key);
  bool IsKnown(IdentityKey key);
  static void Identify(Observer& observer, const ObserverIdentity& identity, std::int64_t at_ms);
  static void Describe(Observer& observer, const PreparedStatus& status);
  static void ProveLife(Observer& observer, std::int64_t at_ms);
  static void NoteClock(Observer& observer, const DeviceTime& time, std::int64_t at_ms);
  void AddSample(const PreparedStatus& status, IdentityKey observer);
  void Touch(const std::shared_ptr<Observer>& observer);

  SQLite::Database& database_;
  Revision& revision_;
  std::int64_t sample_interval_ms_;
  SQLite::Statement select_, upsert_, sample_;
  RecentMap<std::int64_t, std::shared_ptr<Observer>> recent_;
  std::vector<std::shared_ptr<Observer>> touched_;
};

}  // namespace heliograph::ingestor
