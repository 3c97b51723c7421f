#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/time.h"
#include "ingestor/prepared.h"
#include "ingestor/store/commit_log.h"
#include "ingestor/store/dropped_store.h"
#include "ingestor/store/identity_store.h"
#include "ingestor/store/ledger.h"
#include "ingestor/store/node_store.h"
#include "ingestor/store/observer_store.h"
#include "ingestor/store/packet_store.h"
#include "ingestor/store/revision.h"

namespace heliograph::ingestor {

/// What messages became, counted for the life of the database.
struct IngestCounters {
  std::int64_t transmissions = 0;
  std::int64_t observations = 0;
  std::int64_t duplicates = 0;  ///< receptions that were stored already
  std::int64_t over_limit = 0;  ///< receptions beyond what one transmission may have
  std::int64_t statuses = 0;
  /// Ends of the process that were not in good order. Each may have cost what came by QoS 0, or from a pipe,
  /// since the last commit.
  std::int64_t unclean_ends = 0;
  std::array<std::int64_t, kDropReasonCount> drops{};  ///< by DropReason
};

/// What the messages of one source became, since the process started.
struct SourceCounters {
  std::int64_t stored = 0, duplicates = 0, dropped = 0;
};

/// The database as the ingestor's one writer sees it: every table that is written, one transaction at a time,
/// and the checkpoints. Used by one thread.
class MeshStore {
 public:
  struct Options {
    std::chrono::seconds metrics_sample_interval{300};
  };

  /// REQUIRED: `database` came from OpenForWriting and is migrated.
  MeshStore(SQLite::Database database, Options options);

  SQLite::Database& database() { return database_; }
  IdentityStore& identities() { return identities_; }
  PacketStore& packets() { return packets_; }
  NodeStore& nodes() { return nodes_; }
  ObserverStore& observers() { return observers_; }
  CommitLog& commits() { return commits_; }
  Ledger& ledger() { return ledger_; }
  const IngestCounters& counters() const { return counters_; }
  /// REQUIRED: a transaction is open.
  void CountUncleanEnd() { ++counters_.unclean_ends; }
  /// Names the sources, by SourceIndex, and begins to count anew what their messages become. What has another
  /// index is called "queue". Without a call, everything is.
  void NameSources(std::vector<std::string> names);
  SourceCounters counters_of(SourceIndex source) const;
  const std::string& epoch() const { return epoch_; }

  /// The newest receipt of any stored packet: "now" for all windows and ages. Never later than `wall_clock`,
  /// for a packet that was stored while the clock was ahead must not age everything else for good. Nothing
  /// while there are no packets.
  std::optional<UtcMillis> data_time(UtcMillis wall_clock) const {
    return data_time_ ? std::optional(std::min(*data_time_, wall_clock)) : std::nullopt;
  }

  /// Stores one message. REQUIRED: a transaction is open. Returns what a packet became.
  std::optional<StoredPacket> Take(const Prepared& message);

  /// REQUIRED: no transaction is open.
  void Begin();
  /// Writes what the stores hold back, commits, and truncates the WAL when it has grown. When it throws, the
  /// transaction is rolled back, and nothing of it is there.
  void Commit();
  /// Undoes the open transaction, if there is one, and what the stores remember of it.
  void Rollback() noexcept;

  /// Frees up to `pages` pages of the file that deletions left behind; true when there are more. REQUIRED: no
  /// transaction is open.
  bool ReturnFreePages(int pages);

  /// Moves the WAL into the database and truncates it; false when readers kept it from doing so. REQUIRED: no
  /// transaction.
  bool Checkpoint();

 private:
  StoredPacket TakePacket(const PreparedPacket& packet);
  SourceCounters& CountersOf(SourceIndex source);
  void TakeStatus(const PreparedStatus& status);
  void TakeDrop(const PreparedDrop& drop);
  void TruncateWal() noexcept;
  void LoadCounters();
  /// In the transaction of what they count: after a crash a replay finds duplicates, and does not count them.
  void SaveCounters();
  static int OnWalCommit(void* store, sqlite3* handle, const char* name, int pages);

  SQLite::Database database_;
  Options options_;
  std::string epoch_;
  Revision revision_;
  IdentityStore identities_;
  PacketStore packets_;
  NodeStore nodes_;
  ObserverStore observers_;
  DroppedStore dropped_;
  CommitLog commits_;
  Ledger ledger_;
  IngestCounters counters_, counters_at_begin_;
  std::optional<UtcMillis> data_time_, data_time_at_begin_;
  std::vector<std::string> source_names_;
  std::vector<SourceCounters> source_counters_;  ///< of the sources, and last of the queue
  std::int64_t wal_bytes_ = 0;
  std::int64_t checkpoint_above_ = 0;  ///< bytes of WAL at which the next checkpoint is tried
  bool in_transaction_ = false;
};

/// A transaction of the store's that is undone unless Commit was called.
class StoreTransaction {
 public:
  /// REQUIRED: no transaction is open.
  explicit StoreTransaction(MeshStore& store) : store_(store) { store_.Begin(); }
  ~StoreTransaction() { store_.Rollback(); }
  StoreTransaction(const StoreTransaction&) = delete;
  StoreTransaction& operator=(const StoreTransaction&) = delete;

  void Commit() { store_.Commit(); }

 private:
  MeshStore& store_;
};

}  // namespace heliograph::ingestor
