#include "ingestor/store/observer_store.h"

#include <algorithm>
#include <cstdlib>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kRecentObservers = 16'384;
constexpr std::int64_t kMillisPerSecond = 1000;
constexpr std::int64_t kDayMs = 86'400'000;
// A text without a zone that is this far off is local time, not a slow clock.
constexpr std::int64_t kNaiveSkewMs = 15 * 60 * kMillisPerSecond;

constexpr const char* kColumns =
    "observer_key, id, name, iata, first_seen, last_seen, last_packet_at, last_status_at, online, "
    "packet_count, model,"
    " firmware, client_version, radio, battery_mv, uptime_secs, noise_floor, inactive, can_relay, "
    "clock_skew_seconds,"
    " clock_skew_count_24h, clock_last_naive_at";

// Every column but the key takes the new value; samples of observer_metrics refer to the row, so it is never
// replaced.
constexpr const char* kUpsert =
    "INSERT INTO observers(observer_key, id, name, iata, first_seen, last_seen, last_packet_at, "
    "last_status_at, online,"
    " packet_count, model, firmware, client_version, radio, battery_mv, uptime_secs, noise_floor, inactive, "
    "can_relay,"
    " clock_skew_seconds, clock_skew_count_24h, clock_last_naive_at, revision)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT(observer_key) DO UPDATE SET name=excluded.name, iata=excluded.iata, "
    "first_seen=excluded.first_seen,"
    " last_seen=excluded.last_seen, last_packet_at=excluded.last_packet_at, "
    "last_status_at=excluded.last_status_at,"
    " online=excluded.online, packet_count=excluded.packet_count, model=excluded.model, "
    "firmware=excluded.firmware,"
    " client_version=excluded.client_version, radio=excluded.radio, battery_mv=excluded.battery_mv,"
    " uptime_secs=excluded.uptime_secs, noise_floor=excluded.noise_floor, inactive=excluded.inactive,"
    " can_relay=excluded.can_relay, clock_skew_seconds=excluded.clock_skew_seconds,"
    " clock_skew_count_24h=excluded.clock_skew_count_24h, clock_last_naive_at=excluded.clock_last_naive_at,"
    " revision=excluded.revision";

// A figure that this sample lacks never wipes one that the slot has.
constexpr const char* kSample =
    "INSERT INTO observer_metrics(observer_key, sampled_at, noise_floor, tx_air_secs, rx_air_secs, "
    "recv_errors, battery_mv,"
    " packets_sent, packets_recv) VALUES (?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT(observer_key, sampled_at) DO UPDATE SET noise_floor=coalesce(excluded.noise_floor, "
    "noise_floor),"
    " tx_air_secs=coalesce(excluded.tx_air_secs, tx_air_secs), rx_air_secs=coalesce(excluded.rx_air_secs, "
    "rx_air_secs),"
    " recv_errors=coalesce(excluded.recv_errors, recv_errors), battery_mv=coalesce(excluded.battery_mv, "
    "battery_mv),"
    " packets_sent=coalesce(excluded.packets_sent, packets_sent), "
    "packets_recv=coalesce(excluded.packets_recv, packets_recv)";

std::optional<std::int64_t> AsInteger(const std::optional<bool>& value) {
  return value ? std::optional<std::int64_t>(*value ? 1 : 0) : std::nullopt;
}

std::optional<bool> OptionalBool(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getInt() != 0);
}

template <class T>
void TakeOver(std::optional<T>& known, const std::optional<T>& said) {
  if (said) known = said;
}

}  // namespace

ObserverStore::ObserverStore(SQLite::Database& database, Revision& revision,
                             std::chrono::seconds sample_interval)
    : database_(database),
      revision_(revision),
      sample_interval_ms_(std::max<std::int64_t>(1, sample_interval.count()) * kMillisPerSecond),
      select_(database, std::string("SELECT ") + kColumns + " FROM observers WHERE observer_key=?"),
      upsert_(database, kUpsert),
      sample_(database, kSample),
      recent_(kRecentObservers) {}

void ObserverStore::Forget() noexcept {
  recent_.Clear();
  touched_.clear();
}

std::shared_ptr<ObserverStore::Observer> ObserverStore::Read(IdentityKey key) {
  RowBinder row(select_);
  std::shared_ptr<Observer> observer;
  if (row.Key(key).Step()) {
    observer = std::make_shared<Observer>();
    observer->key = key;
    observer->stored = true;
    observer->id = select_.getColumn(1).getString();
    observer->name = OptionalText(select_.getColumn(2));
    observer->iata = select_.getColumn(3).getString();
    observer->first_ms = select_.getColumn(4).getInt64();
    observer->last_ms = select_.getColumn(5).getInt64();
    observer->last_packet_ms = OptionalInteger(select_.getColumn(6));
    observer->last_status_ms = OptionalInteger(select_.getColumn(7));
    observer->online = OptionalBool(select_.getColumn(8));
    observer->packet_count = select_.getColumn(9).getInt64();
    observer->model = OptionalText(select_.getColumn(10));
    observer->firmware = OptionalText(select_.getColumn(11));
    observer->client_version = OptionalText(select_.getColumn(12));
    observer->radio = OptionalText(select_.getColumn(13));
    observer->battery_mv = OptionalInteger(select_.getColumn(14));
    observer->uptime_secs = OptionalInteger(select_.getColumn(15));
    observer->noise_floor = OptionalReal(select_.getColumn(16));
    observer->inactive = select_.getColumn(17).getInt() != 0;
    observer->can_relay = OptionalBool(select_.getColumn(18));
    observer->skew_seconds = OptionalInteger(select_.getColumn(19));
    observer->skew_count = select_.getColumn(20).getInt64();
    observer->naive_ms = OptionalInteger(select_.getColumn(21));
  }
  select_.tryReset();
  return observer;
}

std::shared_ptr<ObserverStore::Observer> ObserverStore::FindOrCreate(const ObserverIdentity& identity,
                                                                     IdentityKey key, UtcMillis at) {
  const auto raw_key = static_cast<std::int64_t>(key);
  if (auto* known = recent_.Find(raw_key)) return *known;
  auto observer = Read(key);
  if (!observer) {
    observer = std::make_shared<Observer>();
    observer->key = key;
    observer->id = identity.key.ToObserverId();
    observer->first_ms = observer->last_ms = at.time_since_epoch().count();
  }
  return recent_.Insert(raw_key, std::move(observer));
}

bool ObserverStore::IsKnown(IdentityKey key) {
  return recent_.Find(static_cast<std::int64_t>(key)) != nullptr || Read(key) != nullptr;
}

void ObserverStore::Identify(Observer& observer, const ObserverIdentity& identity, std::int64_t at_ms) {
  // An old capture does not take a newer name or region back.
  const bool newest = at_ms >= observer.last_ms;
  if (newest || !observer.name) TakeOver(observer.name, identity.name);
  if ((newest || observer.iata.empty()) && !identity.iata.empty()) observer.iata = identity.iata;
}

void ObserverStore::ProveLife(Observer& observer, std::int64_t at_ms) {
  observer.first_ms = std::min(observer.first_ms, at_ms);
  if (at_ms < observer.last_ms) return;
  observer.last_ms = at_ms;
  observer.inactive = false;
}

void ObserverStore::NoteClock(Observer& observer, const DeviceTime& time, std::int64_t at_ms) {
  if (time.trust != DeviceTimeTrust::kNaive || std::llabs(time.offset_ms) <= kNaiveSkewMs) return;
  if (observer.naive_ms && at_ms < *observer.naive_ms) return;
  const bool recent = observer.naive_ms && at_ms - *observer.naive_ms <= kDayMs;
  observer.skew_count = recent ? observer.skew_count + 1 : 1;
  observer.skew_seconds = time.offset_ms / kMillisPerSecond;
  observer.naive_ms = at_ms;
}

void ObserverStore::TakePacket(const PreparedPacket& packet, IdentityKey key) {
  auto observer = FindOrCreate(packet.observer, key, packet.received_at);
  const std::int64_t at_ms = packet.received_at.time_since_epoch().count();
  Identify(*observer, packet.observer, at_ms);
  ProveLife(*observer, at_ms);
  NoteClock(*observer, packet.device_time, at_ms);
  observer->last_packet_ms = std::max(observer->last_packet_ms.value_or(at_ms), at_ms);
  ++observer->packet_count;
  Touch(observer);
}

void ObserverStore::Describe(Observer& observer, const PreparedStatus& status) {
  TakeOver(observer.online, status.online);
  TakeOver(observer.model, status.model);
  TakeOver(observer.firmware, status.firmware);
  TakeOver(observer.client_version, status.client_version);
  TakeOver(observer.radio, status.radio);
  TakeOver(observer.battery_mv, status.battery_mv);
  TakeOver(observer.uptime_secs, status.uptime_secs);
  TakeOver(observer.noise_floor, status.noise_floor);
  TakeOver(observer.can_relay, status.can_relay);
}

void ObserverStore::TakeStatus(const PreparedStatus& status, IdentityKey key) {
  const std::int64_t at_ms = status.received_at.time_since_epoch().count();
  const bool alive = !status.retained && status.online.value_or(true);
  // What a broker kept may be of an observer that is long dead, and nobody knows when it was last seen.
  if (!alive && !IsKnown(key)) return;
  auto observer = FindOrCreate(status.observer, key, status.received_at);
  Identify(*observer, status.observer, at_ms);
  if (at_ms >= observer->last_status_ms.value_or(at_ms)) Describe(*observer, status);
  if (alive) ProveLife(*observer, at_ms);
  if (!status.retained) observer->last_status_ms = std::max(observer->last_status_ms.value_or(at_ms), at_ms);
  Touch(observer);
  if (!alive || !status.HasMetrics()) return;
  // A sample refers to the observer's row. Rows that are there can wait for the end of the batch.
  if (!observer->stored) Flush();
  AddSample(status, key);
}

void ObserverStore::AddSample(const PreparedStatus& status, IdentityKey observer) {
  const std::int64_t at_ms = status.received_at.time_since_epoch().count();
  const std::int64_t slot_ms = (at_ms + sample_interval_ms_ / 2) / sample_interval_ms_ * sample_interval_ms_;
  RowBinder(sample_)
      .Key(observer)
      .Integer(slot_ms)
      .Real(status.noise_floor)
      .Integer(status.tx_air_secs)
      .Integer(status.rx_air_secs)
      .Integer(status.recv_errors)
      .Integer(status.battery_mv)
      .Integer(status.packets_sent)
      .Integer(status.packets_received)
      .Run();
}

void ObserverStore::Touch(const std::shared_ptr<Observer>& observer) {
  if (observer->dirty) return;
  observer->dirty = true;
  touched_.push_back(observer);
  // A row that is not written yet must not be forgotten.
  if (touched_.size() >= kRecentObservers / 2) Flush();
}

void ObserverStore::Flush() {
  for (const auto& observer : touched_) {
    RowBinder(upsert_)
        .Key(observer->key)
        .Text(observer->id)
        .Text(observer->name)
        .Text(observer->iata)
        .Integer(observer->first_ms)
        .Integer(observer->last_ms)
        .Integer(observer->last_packet_ms)
        .Integer(observer->last_status_ms)
        .Integer(AsInteger(observer->online))
        .Integer(observer->packet_count)
        .Text(observer->model)
        .Text(observer->firmware)
        .Text(observer->client_version)
        .Text(observer->radio)
        .Integer(observer->battery_mv)
        .Integer(observer->uptime_secs)
        .Real(observer->noise_floor)
        .Integer(observer->inactive ? 1 : 0)
        .Integer(AsInteger(observer->can_relay))
        .Integer(observer->skew_seconds)
        .Integer(observer->skew_count)
        .Integer(observer->naive_ms)
        .Integer(revision_.current())
        .Run();
    observer->stored = true;
    observer->dirty = false;
  }
  touched_.clear();
}

std::size_t ObserverStore::Retire(UtcMillis cutoff) {
  SQLite::Statement update(database_,
                           "UPDATE observers SET inactive=1, revision=? WHERE inactive=0 AND last_seen < ?");
  const int retired = RowBinder(update).Integer(revision_.current()).Time(cutoff).Run();
  recent_.Clear();
  return static_cast<std::size_t>(retired);
}

}  // namespace heliograph::ingestor
