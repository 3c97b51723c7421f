#include "ingestor/store/mesh_store.h"

#include <sqlite3.h>

#include <algorithm>

#include <spdlog/spdlog.h>

#include "common/failpoint.h"
#include "dbschema/database.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::int64_t kWalPageBytes = 4096 + 24;
constexpr std::int64_t kWalLimitBytes = 16 << 20;
constexpr std::int64_t kWalAlarmBytes = 64 << 20;
constexpr int kCheckpointBusyMs = 50;
constexpr int kWriterBusyMs = 2000;

/// The counters under the names that `ingest_counter` has.
template <class Visit>
void ForEachCounter(IngestCounters& counters, Visit visit) {
  visit("transmissions", counters.transmissions);
  visit("observations", counters.observations);
  visit("duplicates", counters.duplicates);
  visit("over_limit", counters.over_limit);
  visit("statuses", counters.statuses);
  visit("unclean_ends", counters.unclean_ends);
  for (std::size_t i = 0; i < counters.drops.size(); ++i)
    visit("dropped_" + std::string(Name(static_cast<DropReason>(i))), counters.drops[i]);
}

}  // namespace

MeshStore::MeshStore(SQLite::Database database, Options options)
    : database_(std::move(database)),
      options_(std::move(options)),
      epoch_(dbschema::ReadMeta(database_, "epoch")),
      revision_(database_),
      identities_(database_),
      packets_(database_),
      nodes_(database_, revision_),
      observers_(database_, revision_, options_.metrics_sample_interval),
      dropped_(database_),
      commits_(database_),
      ledger_(database_) {
  SQLite::Statement newest(database_, "SELECT max(last_packet_at) FROM observers");
  if (newest.executeStep()) data_time_ = OptionalTime(newest.getColumn(0));
  NameSources({});
  LoadCounters();
  sqlite3_wal_hook(database_.getHandle(), &MeshStore::OnWalCommit, this);
}

int MeshStore::OnWalCommit(void* store, sqlite3*, const char*, int pages) {
  static_cast<MeshStore*>(store)->wal_bytes_ = pages * kWalPageBytes;
  return SQLITE_OK;
}

void MeshStore::LoadCounters() {
  ForEachCounter(counters_, [&](const std::string& name, std::int64_t& value) {
    SQLite::Statement row(database_, "SELECT value FROM ingest_counter WHERE name=?");
    if (RowBinder(row).Text(name).Step()) value = row.getColumn(0).getInt64();
  });
}

void MeshStore::SaveCounters() {
  SQLite::Statement save(database_,
                         "INSERT INTO ingest_counter(name, value) VALUES (?,?)"
                         " ON CONFLICT(name) DO UPDATE SET value=excluded.value"
                         " WHERE value<>excluded.value");
  ForEachCounter(counters_, [&](const std::string& name, std::int64_t& value) {
    RowBinder(save).Text(name).Integer(value).Run();
  });
}

std::optional<StoredPacket> MeshStore::Take(const Prepared& message) {
  if (const auto* packet = std::get_if<PreparedPacket>(&message)) return TakePacket(*packet);
  if (const auto* status = std::get_if<PreparedStatus>(&message)) TakeStatus(*status);
  if (const auto* drop = std::get_if<PreparedDrop>(&message)) TakeDrop(*drop);
  return std::nullopt;
}

StoredPacket MeshStore::TakePacket(const PreparedPacket& packet) {
  const IdentityKey observer = identities_.KeyOf(packet.observer.key);
  std::optional<IdentityKey> origin;
  if (packet.advert) origin = identities_.KeyOf(packet.advert->public_key);
  const StoredPacket stored = packets_.Add(packet, observer, origin);
  SourceCounters& source = CountersOf(packet.source);
  if (!stored.new_observation) {
    // A capture that is replayed makes neither nodes nor observers look alive.
    ++(stored.over_limit ? counters_.over_limit : counters_.duplicates);
    ++source.duplicates;
    return stored;
  }
  ++counters_.observations;
  ++source.stored;
  if (stored.new_transmission) ++counters_.transmissions;
  data_time_ = std::max(data_time_.value_or(packet.received_at), packet.received_at);
  if (origin) nodes_.Take(packet, *origin, stored.new_transmission);
  observers_.TakePacket(packet, observer);
  return stored;
}

void MeshStore::NameSources(std::vector<std::string> names) {
  source_names_ = std::move(names);
  source_counters_.assign(source_names_.size() + 1, {});
}

SourceCounters& MeshStore::CountersOf(SourceIndex source) {
  return source_counters_.at(std::min(static_cast<std::size_t>(source), source_names_.size()));
}

SourceCounters MeshStore::counters_of(SourceIndex source) const {
  return source_counters_.at(std::min(static_cast<std::size_t>(source), source_names_.size()));
}

void MeshStore::TakeStatus(const PreparedStatus& status) {
  observers_.TakeStatus(status, identities_.KeyOf(status.observer.key));
  ++counters_.statuses;
}

void MeshStore::TakeDrop(const PreparedDrop& drop) {
  const auto source = static_cast<std::size_t>(drop.source);
  dropped_.Add(drop, source < source_names_.size() ? source_names_[source] : "queue");
  ++counters_.drops.at(static_cast<std::size_t>(drop.reason));
  ++CountersOf(drop.source).dropped;
}

void MeshStore::Begin() {
  packets_.Prepare();
  database_.exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
  counters_at_begin_ = counters_;
  data_time_at_begin_ = data_time_;
  revision_.Advance();
}

void MeshStore::Commit() {
  try {
    packets_.Flush();
    nodes_.Flush();
    observers_.Flush();
    dropped_.Flush();
    SaveCounters();
    database_.exec("COMMIT");
  } catch (...) {
    Rollback();
    throw;
  }
  in_transaction_ = false;
  TruncateWal();
}

void MeshStore::TruncateWal() noexcept {
  // What is committed is committed: whatever goes wrong from here on is no failure of the transaction.
  try {
    // Publishes the present read mark: a checkpoint would otherwise wait for readers that have moved on long
    // ago.
    database_.execAndGet("SELECT count(*) FROM meta");
    if (wal_bytes_ <= std::max(checkpoint_above_, kWalLimitBytes)) return;
    if (Checkpoint()) return;
    if (wal_bytes_ > kWalAlarmBytes)
      spdlog::warn("The write-ahead log has grown to {} MiB, for a reader keeps it from being truncated",
                   wal_bytes_ >> 20);
  } catch (const std::exception& error) {
    spdlog::error("The write-ahead log could not be moved into the database: {}. Is the disk full?",
                  error.what());
  }
  // Not with every commit, for each attempt waits for the readers.
  checkpoint_above_ = wal_bytes_ + kWalLimitBytes;
}

void MeshStore::Rollback() noexcept {
  if (!in_transaction_) return;
  in_transaction_ = false;
  database_.tryExec("ROLLBACK");
  identities_.Forget();
  packets_.Forget();
  nodes_.Forget();
  observers_.Forget();
  counters_ = counters_at_begin_;
  data_time_ = data_time_at_begin_;
}

bool MeshStore::Checkpoint() {
  sqlite3_busy_timeout(database_.getHandle(), kCheckpointBusyMs);
  const int result =
      sqlite3_wal_checkpoint_v2(database_.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(database_.getHandle(), kWriterBusyMs);
  if (result == SQLITE_OK) {
    wal_bytes_ = checkpoint_above_ = 0;
    return true;
  }
  if (result == SQLITE_BUSY) return false;
  throw SQLite::Exception(database_.getHandle(), result);
}

bool MeshStore::ReturnFreePages(int pages) {
  const auto free_pages = [this] { return database_.execAndGet("PRAGMA freelist_count").getInt(); };
  const int before = free_pages();
  if (before == 0 || pages == 0) return false;
  {
    SQLite::Statement vacuum(database_, "PRAGMA incremental_vacuum(" + std::to_string(pages) + ")");
    // One step frees one page.
    while (vacuum.executeStep()) {
    }
  }
  TruncateWal();
  const int after = free_pages();
  // A database that was made without incremental vacuum frees none.
  return after > 0 && after < before;
}

}  // namespace heliograph::ingestor
