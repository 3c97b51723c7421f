#include "ingestor/status_board.h"

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::chrono::minutes kLately{5};

std::int64_t Signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<UtcMillis> AwaySince(MeshStore& store, const std::string& source, const std::string& address) {
  SQLite::Statement row(
      store.database(),
      "SELECT iif(connected, updated_at, last_disconnect) FROM ingest_status WHERE source=? AND address=?");
  if (!RowBinder(row).Text(source).Text(address).Step()) return std::nullopt;
  return OptionalTime(row.getColumn(0));
}

StatusBoard::StatusBoard(MeshStore& store, std::string boot_id, UtcMillis started_at)
    : store_(store), boot_id_(std::move(boot_id)), started_at_(started_at) {}

void StatusBoard::TakeOver() {
  if (store_.database()
          .execAndGet("SELECT count(*) FROM process WHERE role='ingestor' AND stopped_at IS NULL")
          .getInt() > 0)
    store_.CountUncleanEnd();
  // Rows of sources that are no longer configured would look like dead ones.
  store_.database().exec("DELETE FROM ingest_status");
}

void StatusBoard::Write(const std::vector<SourceStatus>& sources, Clock::time_point now) {
  WriteRows(sources, now, false);
}

void StatusBoard::WriteLast(const std::vector<SourceStatus>& sources, Clock::time_point now) {
  WriteRows(sources, now, true);
}

std::int64_t StatusBoard::ReceivedLately(const SourceStatus& source, Clock::time_point now) {
  auto& samples = samples_[source.name];
  if (samples.empty()) samples.push_back({now, 0});
  samples.push_back({now, source.received});
  while (samples.size() > 2 && samples[1].at <= now - kLately) samples.pop_front();
  return Signed(source.received - samples.front().received);
}

void StatusBoard::WriteRows(const std::vector<SourceStatus>& sources, Clock::time_point now, bool stopping) {
  due_ = now + kPeriod;
  const UtcMillis wall_clock = WallClockNow();
  StoreTransaction transaction(store_);
  if (!took_over_) TakeOver();
  SQLite::Statement status(
      store_.database(),
      "INSERT OR REPLACE INTO ingest_status(source, kind, address, connected, last_connect, last_disconnect,"
      " last_receipt, connect_count, disconnect_count, received, received_5m, stored, duplicates, dropped, "
      "unreadable,"
      " stalls, last_error, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const SourceStatus& source = sources[i];
    const SourceCounters counters = store_.counters_of(SourceIndex{static_cast<std::uint16_t>(i)});
    RowBinder(status)
        .Text(source.name)
        .Text(source.kind)
        .Text(source.address)
        .Integer(source.connected && !stopping ? 1 : 0)
        .Time(source.last_connect)
        .Time(source.last_disconnect)
        .Time(source.last_receipt)
        .Integer(Signed(source.connect_count))
        .Integer(Signed(source.disconnect_count))
        .Integer(Signed(source.received))
        .Integer(ReceivedLately(source, now))
        .Integer(counters.stored)
        .Integer(counters.duplicates)
        .Integer(counters.dropped)
        .Integer(Signed(source.unreadable))
        .Integer(Signed(source.stalls))
        .Text(source.last_error)
        .Time(wall_clock)
        .Run();
  }
  SQLite::Statement process(store_.database(),
                            "INSERT OR REPLACE INTO process(role, boot_id, version, started_at, stopped_at, "
                            "beat_at) VALUES (?,?,?,?,?,?)");
  const std::string role = "ingestor", version = HELIOGRAPH_VERSION;
  RowBinder(process)
      .Text(role)
      .Text(boot_id_)
      .Text(version)
      .Time(started_at_)
      .Time(stopping ? std::optional(wall_clock) : std::nullopt)
      .Time(wall_clock)
      .Run();
  transaction.Commit();
  took_over_ = true;
}

}  // namespace heliograph::ingestor
