#include "server/state/packet_reader.h"

#include <sqlite3.h>

#include <memory>

namespace heliograph::server {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using RawStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

// SQLiteCpp's columns count references; at millions of rows that is a third of the whole time.
RawStatement Prepare(sqlite3* handle, const char* sql, std::int64_t after, std::size_t limit) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) != SQLITE_OK) throw SQLite::Exception(handle);
  sqlite3_bind_int64(statement, 1, after);
  sqlite3_bind_int64(statement, 2, static_cast<sqlite3_int64>(limit));
  return RawStatement(statement);
}

template <typename VisitRow>
bool Page(sqlite3* handle, const char* sql, std::int64_t after, std::size_t limit, VisitRow&& visit) {
  const RawStatement statement = Prepare(handle, sql, after, limit);
  std::size_t rows = 0;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    ++rows;
    visit(statement.get());
  }
  if (code != SQLITE_DONE) throw SQLite::Exception(handle, code);
  return rows == limit;
}

UtcMillis Time(std::int64_t milliseconds) {
  return UtcMillis(std::chrono::milliseconds(milliseconds));
}

// The flags and the SNR of an observation, as the schema tells them.
constexpr int kDirectionBits = 3;
constexpr int kSent = 2;
constexpr float kStepsPerDb = 4;

// CROSS JOIN keeps the order of the loops: the primary key of observations outside.
constexpr const char* kObservations =
    "SELECT o.id, o.transmission_id, o.observer_key, o.received_after, o.route, o.path_len, o.path, "
    "t.payload_type, "
    "t.base_time, t.origin_key, o.flags, o.snr FROM observations AS o CROSS JOIN transmissions AS t ON t.id "
    "= "
    "o.transmission_id "
    "WHERE o.id > ? ORDER BY o.id LIMIT ?";
constexpr const char* kTransmissionTimes =
    "SELECT id, first_seen FROM transmissions WHERE id > ? ORDER BY id LIMIT ?";

}  // namespace

bool ReadObservations(ReaderConnection& connection, std::int64_t after, std::size_t limit,
                      const std::function<void(Reception&)>& visit) {
  return Page(connection.database().getHandle(), kObservations, after, limit, [&](sqlite3_stmt* row) {
    Reception reception;
    reception.observation = sqlite3_column_int64(row, 0);
    reception.transmission = sqlite3_column_int64(row, 1);
    reception.observer = IdentityKey{sqlite3_column_int64(row, 2)};
    reception.received_at = Time(sqlite3_column_int64(row, 8) + sqlite3_column_int64(row, 3));
    reception.route = static_cast<RouteType>(sqlite3_column_int(row, 4) & 3);
    reception.type = static_cast<PayloadType>(sqlite3_column_int(row, 7) & 15);
    // The path_len of a TRACE is a plain count of bytes, which may be no path_len of another packet.
    const auto length = PathLength::FromByte(static_cast<std::uint8_t>(sqlite3_column_int(row, 5)));
    if (length) {
      reception.path_length = *length;
      const auto* path = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, 6));
      reception.path = ByteView(path, static_cast<std::size_t>(sqlite3_column_bytes(row, 6)));
    }
    if (sqlite3_column_type(row, 9) != SQLITE_NULL)
      reception.origin = IdentityKey{sqlite3_column_int64(row, 9)};
    reception.sent = (sqlite3_column_int(row, 10) & kDirectionBits) == kSent;
    if (sqlite3_column_type(row, 11) != SQLITE_NULL)
      reception.snr_db = static_cast<float>(sqlite3_column_int(row, 11)) / kStepsPerDb;
    visit(reception);
  });
}

bool ReadTransmissionTimes(ReaderConnection& connection, std::int64_t after, std::size_t limit,
                           const std::function<void(std::int64_t, UtcMillis)>& visit) {
  return Page(connection.database().getHandle(), kTransmissionTimes, after, limit, [&](sqlite3_stmt* row) {
    visit(sqlite3_column_int64(row, 0), Time(sqlite3_column_int64(row, 1)));
  });
}

}  // namespace heliograph::server
