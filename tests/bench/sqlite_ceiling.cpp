// How fast SQLite alone takes the rows that an import wrote: the ceiling of the import.
//
// Reads the transmissions and observations of a database into memory and writes them into a fresh one, with
// the schema, the settings and the checkpoints of the ingestor, by plain prepared statements. Prints one line
// of JSON.

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "dbschema/database.h"
#include "dbschema/migrate.h"

namespace heliograph {
namespace {

// As the ingestor does it.
constexpr std::int64_t kWalPageBytes = 4096 + 24;
constexpr std::int64_t kWalLimitBytes = 16 << 20;

constexpr const char* kTransmissionColumns =
    "id, content_hash, payload_type, payload, base_time, first_seen, last_seen, observation_count, "
    "origin_key, channel,"
    " scope";
constexpr const char* kObservationColumns =
    "id, transmission_id, observer_key, received_after, route, path_len, path, transport_codes, "
    "device_offset, flags,"
    " snr, rssi";
constexpr int kTransmissionWidth = 11;
constexpr int kObservationWidth = 12;

void Require(sqlite3* handle, int code, int wanted) {
  if (code != wanted) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(handle));
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement Prepare(sqlite3* handle, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  Require(handle, sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
  return Statement(statement);
}

/// One value of a row: an integer, or bytes in the table's arena.
struct Cell {
  int type = SQLITE_NULL;
  std::int64_t integer = 0;  ///< the offset in the arena for a text or a blob
  int bytes = 0;
};

/// A table in memory: cells row by row, and the bytes of all texts and blobs.
struct Table {
  int width = 0;
  std::vector<Cell> cells;
  std::string arena;

  std::size_t rows() const { return cells.size() / static_cast<std::size_t>(width); }
  const Cell* row(std::size_t index) const { return &cells[index * static_cast<std::size_t>(width)]; }
};

Table Load(sqlite3* handle, const std::string& columns, const std::string& from, int width) {
  Table table{width, {}, {}};
  const Statement select = Prepare(handle, "SELECT " + columns + " FROM " + from);
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(select.get())) == SQLITE_ROW) {
    for (int i = 0; i < width; ++i) {
      Cell cell{sqlite3_column_type(select.get(), i), 0, 0};
      if (cell.type == SQLITE_INTEGER) {
        cell.integer = sqlite3_column_int64(select.get(), i);
      } else if (cell.type != SQLITE_NULL) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select.get(), i));
        cell.bytes = sqlite3_column_bytes(select.get(), i);
        cell.integer = static_cast<std::int64_t>(table.arena.size());
        table.arena.append(bytes, static_cast<std::size_t>(cell.bytes));
      }
      table.cells.push_back(cell);
    }
  }
  Require(handle, code, SQLITE_DONE);
  return table;
}

void Insert(sqlite3* handle, sqlite3_stmt* insert, const Table& table, std::size_t index) {
  const Cell* row = table.row(index);
  for (int i = 0; i < table.width; ++i) {
    const Cell& cell = row[i];
    const char* bytes = table.arena.data() + cell.integer;
    switch (cell.type) {
      case SQLITE_INTEGER:
        sqlite3_bind_int64(insert, i + 1, cell.integer);
        break;
      case SQLITE_TEXT:
        sqlite3_bind_text(insert, i + 1, bytes, cell.bytes, SQLITE_STATIC);
        break;
      case SQLITE_BLOB:
        sqlite3_bind_blob(insert, i + 1, bytes, cell.bytes, SQLITE_STATIC);
        break;
      default:
        sqlite3_bind_null(insert, i + 1);
    }
  }
  Require(handle, sqlite3_step(insert), SQLITE_DONE);
  sqlite3_reset(insert);
}

Statement PrepareInsert(sqlite3* handle, const std::string& table, const std::string& columns, int width) {
  std::string places = "?";
  for (int i = 1; i < width; ++i) places += ",?";
  return Prepare(handle, "INSERT INTO " + table + "(" + columns + ") VALUES (" + places + ")");
}

int CountWalBytes(void* bytes, sqlite3*, const char*, int pages) {
  *static_cast<std::int64_t*>(bytes) = pages * kWalPageBytes;
  return SQLITE_OK;
}

struct Rows {
  Table identities, transmissions, observations;
};

Rows LoadRows(const std::string& file) {
  SQLite::Database source = dbschema::OpenForReading(file);
  sqlite3* handle = source.getHandle();
  return {Load(handle, "key, public_key", "identity ORDER BY key", 2),
          Load(handle, kTransmissionColumns, "transmissions ORDER BY id", kTransmissionWidth),
          Load(handle, kObservationColumns, "observations ORDER BY id", kObservationWidth)};
}

/// Seconds from the first batch to the end of the last checkpoint.
double WriteRows(const Rows& rows, const std::filesystem::path& file, std::size_t batch) {
  SQLite::Database target = dbschema::OpenForWriting(file);
  dbschema::Migrate(target);
  sqlite3* handle = target.getHandle();
  const Statement identity = PrepareInsert(handle, "identity", "key, public_key", 2);
  for (std::size_t i = 0; i < rows.identities.rows(); ++i) Insert(handle, identity.get(), rows.identities, i);

  std::int64_t wal_bytes = 0;
  sqlite3_wal_hook(handle, CountWalBytes, &wal_bytes);
  const auto checkpoint = [&] {
    Require(handle, sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr),
            SQLITE_OK);
    wal_bytes = 0;
  };
  const Statement transmission =
      PrepareInsert(handle, "transmissions", kTransmissionColumns, kTransmissionWidth);
  const Statement observation = PrepareInsert(handle, "observations", kObservationColumns, kObservationWidth);

  const auto begin = std::chrono::steady_clock::now();
  std::size_t next_transmission = 0;
  for (std::size_t next = 0; next < rows.observations.rows();) {
    target.exec("BEGIN IMMEDIATE");
    const std::size_t end = std::min(next + batch, rows.observations.rows());
    std::int64_t newest = 0;
    for (; next < end; ++next) {
      Insert(handle, observation.get(), rows.observations, next);
      newest = std::max(newest, rows.observations.row(next)[1].integer);
    }
    // The ingestor too writes a transmission after the observations of its batch.
    while (next_transmission < rows.transmissions.rows() &&
           rows.transmissions.row(next_transmission)[0].integer <= newest)
      Insert(handle, transmission.get(), rows.transmissions, next_transmission++);
    target.exec("COMMIT");
    if (wal_bytes > kWalLimitBytes) checkpoint();
  }
  checkpoint();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return took.count();
}

}  // namespace
}  // namespace heliograph

int main(int argc, char** argv) {
  CLI::App program(
      "Writes the rows of a database that the ingestor made into a fresh one, as fast as SQLite can");
  std::string database, folder;
  std::size_t batch = 10'000;
  program.add_option("--database", database, "the database to take the rows from")->required();
  program.add_option("--into", folder, "an empty folder for the fresh database")->required();
  program.add_option("--batch", batch, "observations of one transaction")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  try {
    const heliograph::Rows rows = heliograph::LoadRows(database);
    const std::filesystem::path file = std::filesystem::path(folder) / "ceiling.db";
    if (std::filesystem::exists(file))
      throw std::runtime_error(file.string() + " exists; name an empty folder");
    const double seconds = heliograph::WriteRows(rows, file, batch);
    std::cout << "{\"observations\":" << rows.observations.rows()
              << ",\"transmissions\":" << rows.transmissions.rows() << ",\"seconds\":" << seconds << "}\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "sqlite_ceiling: " << error.what() << '\n';
    return 1;
  }
}
