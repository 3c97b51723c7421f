#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>

#include "common/public_key.h"
#include "common/switch_readiness_json.h"
#include "common/time.h"
#include "common/volume.h"
#include "dbschema/database.h"
#include "dbschema/migrate.h"
#include "tests/support/temporary_folder.h"

namespace heliograph::server {

inline constexpr std::int64_t kStartOfData = 1'750'000'000'000;

/// A key that starts with these bytes; the last byte tells keys with equal starts apart.
inline PublicKey KeyOf(std::initializer_list<int> prefix, int last = 1) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  std::size_t at = 0;
  for (const int byte : prefix) bytes[at++] = static_cast<std::uint8_t>(byte);
  bytes.back() = static_cast<std::uint8_t>(last);
  return PublicKey(bytes);
}

inline UtcMillis At(std::int64_t offset_ms) {
  return UtcMillis(std::chrono::milliseconds(kStartOfData + offset_ms));
}

/// A volume with a database as the migrations make it, and the one handle that writes it.
class Observatory {
 public:
  Observatory() { Open(); }

  const Volume& volume() const { return volume_; }
  std::filesystem::path file() const { return volume_.database(); }
  SQLite::Database& database() { return *database_; }
  void Run(const std::string& sql) { database_->exec(sql); }
  std::int64_t Ask(const std::string& sql) { return database_->execAndGet(sql).getInt64(); }

  /// Ends the writer and puts a new, empty database in the place of the old.
  void Replace() {
    database_.reset();
    std::filesystem::remove_all(volume_.database_folder());
    Open();
  }

  /// The integer key, made when the dictionary does not have it.
  std::int64_t Identity(const PublicKey& key) {
    Run("INSERT OR IGNORE INTO identity(public_key) VALUES (x'" + key.ToHex() + "')");
    return Ask("SELECT key FROM identity WHERE public_key = x'" + key.ToHex() + "'");
  }

  std::int64_t AddNode(const PublicKey& key, const std::string& role = "repeater",
                       const std::string& table = "nodes") {
    const std::int64_t number = Identity(key);
    Run("INSERT INTO " + table + "(node_key, public_key, role, first_seen, last_seen, revision) VALUES (" +
        std::to_string(number) + ", '" + key.ToHex() + "', '" + role + "', " + std::to_string(kStartOfData) +
        ", " + std::to_string(kStartOfData) + ", " + std::to_string(++revision_) + ")");
    return number;
  }

  std::int64_t AddObserver(const PublicKey& key, const std::string& iata = "SFO") {
    const std::int64_t number = Identity(key);
    Run("INSERT INTO observers(observer_key, id, iata, first_seen, last_seen, revision) VALUES (" +
        std::to_string(number) + ", '" + key.ToObserverId() + "', '" + iata + "', " +
        std::to_string(kStartOfData) + ", " + std::to_string(kStartOfData) + ", " +
        std::to_string(++revision_) + ")");
    return number;
  }

  /// `origin` 0: not an advert.
  std::int64_t AddTransmission(int type, std::int64_t origin = 0, std::int64_t offset_ms = 0) {
    const std::string time = std::to_string(kStartOfData + offset_ms);
    Run("INSERT INTO transmissions(content_hash, payload_type, payload, base_time, first_seen, last_seen, "
        "observation_count, origin_key) VALUES (randomblob(8), " +
        std::to_string(type) + ", x'00', " + time + ", " + time + ", " + time + ", 1, " +
        (origin == 0 ? "NULL" : std::to_string(origin)) + ")");
    return Ask("SELECT last_insert_rowid()");
  }

  /// `path` in hex, hops of `size` bytes.
  void AddObservation(std::int64_t transmission, std::int64_t observer, int route, int size,
                      const std::string& path, std::int64_t after_ms = 0) {
    const int length = static_cast<int>(path.size()) / 2 / size | (size - 1) << 6;
    Run("INSERT INTO observations(transmission_id, observer_key, received_after, route, path_len, path, "
        "flags) VALUES "
        "(" +
        std::to_string(transmission) + ", " + std::to_string(observer) + ", " + std::to_string(after_ms) +
        ", " + std::to_string(route) + ", " + std::to_string(length) + ", " +
        (path.empty() ? "NULL" : "x'" + path + "'") + ", 0)");
  }

  /// Opens an interval for the node with this number, as a snapshot that was applied does.
  void Confirm(std::int64_t node, const std::string& evidence = "advert", bool adopted = true) {
    Commit([&](const std::string& seq) {
      Run("UPDATE node_capability SET to_seq = " + seq +
          " WHERE branch_id = 1 AND to_seq IS NULL AND node_key = " + std::to_string(node));
      Run("INSERT INTO node_capability(branch_id, node_key, from_seq, status, evidence, max_hash_size, "
          "adopted, likely_legacy, probability) VALUES (1, " +
          std::to_string(node) + ", " + seq + ", 2, '" + evidence + "', 2, " + (adopted ? "1" : "0") +
          ", 0, 100)");
    });
  }

  /// Opens intervals of readiness, as a snapshot that was applied does.
  void StoreReadiness(const SwitchReadiness& readiness) {
    Commit([&](const std::string& seq) {
      Run("UPDATE switch_readiness SET to_seq = " + seq + " WHERE branch_id = 1 AND to_seq IS NULL");
      for (const ReadinessScope& scope : readiness.scopes) {
        Run("INSERT INTO switch_readiness(branch_id, region, from_seq, figures) VALUES (1, '" + scope.region +
            "', " + seq + ", '" + EncodeReadinessFigures(scope) + "')");
      }
    });
  }

  std::int64_t NextRevision() { return ++revision_; }

 private:
  /// `write` gets the number of the new commit as text.
  template <typename Write>
  void Commit(Write write) {
    const std::int64_t parent = Ask("SELECT head_seq FROM branch WHERE branch_id = 1");
    const std::string seq = std::to_string(Ask("SELECT max(commit_seq) + 1 FROM commit_log"));
    Run("BEGIN");
    Run("INSERT INTO commit_log(commit_seq, commit_id, branch_id, parent_seq, kind, actor, authored_us, "
        "committed_us) VALUES (" +
        seq + ", 'c" + seq + "', 1, " + std::to_string(parent) + ", 'snapshot', 'test', " + seq + ", " + seq +
        ")");
    write(seq);
    Run("UPDATE branch SET head_seq = " + seq + " WHERE branch_id = 1");
    Run("COMMIT");
  }

  void Open() {
    std::filesystem::create_directories(volume_.database_folder());
    database_.emplace(dbschema::OpenForWriting(volume_.database()));
    dbschema::Migrate(*database_);
  }

  testing::TemporaryFolder folder_;
  Volume volume_{folder_.path()};
  std::optional<SQLite::Database> database_;
  std::int64_t revision_ = 0;
};

inline constexpr int kFlood = 1;
inline constexpr int kDirect = 2;
inline constexpr int kAdvertType = 4;
inline constexpr int kTextType = 2;
inline constexpr int kTraceType = 9;

}  // namespace heliograph::server
