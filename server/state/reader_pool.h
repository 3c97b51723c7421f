#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dbschema/database.h"

namespace heliograph::server {

/// The database could not be read for as long as a reader may try: the writer starts, stops or recovers, the
/// file is not there, or all readers are busy. Trying again in a second is the answer: HTTP 503.
class DatabaseUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A read took longer than it may. HTTP 503; the same question is likely to be too heavy again.
class QueryDeadline : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One handle that cannot write, with the statements that were prepared on it. Used from one thread at a
/// time.
class ReaderConnection {
 public:
  /// Throws SQLite::Exception when the file cannot be opened for reading.
  explicit ReaderConnection(const std::filesystem::path& file);
  ~ReaderConnection();
  ReaderConnection(const ReaderConnection&) = delete;
  ReaderConnection& operator=(const ReaderConnection&) = delete;

  /// The statement for this SQL, prepared once for each handle, without bindings and before its first row.
  /// Valid until the read transaction ends or kMaxStatements others were asked for. REQUIRED: no other use of
  /// the same SQL is under way.
  SQLite::Statement& Prepared(const std::string& sql);

  SQLite::Database& database() { return database_; }

  static constexpr std::size_t kMaxStatements = 128;

 private:
  friend class ReadTransaction;
  static int OnProgress(void* self);
  void Reset();

  SQLite::Database database_;
  std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>> statements_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

/// One moment of the database: what is read inside belongs together. Ends with the object; holding it holds
/// up the writer's checkpoints, so nothing may wait inside.
class ReadTransaction {
 public:
  /// `limit` bounds the time of all statements inside: past it they fail, and Rethrow turns that into
  /// QueryDeadline. Throws SQLite::Exception.
  ReadTransaction(ReaderConnection& connection, std::chrono::milliseconds limit);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  ReaderConnection& connection_;
};

/// A bounded set of readers. Thread-safe.
class ReaderPool {
 public:
  struct Settings {
    std::size_t size = 8;
    std::chrono::milliseconds retry_for{200};     ///< how long transient errors are tried again
    std::chrono::milliseconds query_limit{5000};  ///< for one Read
    std::chrono::milliseconds wait_limit{1000};   ///< for a free reader
  };
  struct Statistics {
    std::size_t open = 0;           ///< handles, free and in use
    std::uint64_t reads = 0;        ///< reads that were answered
    std::uint64_t retries = 0;      ///< after a transient error
    std::uint64_t unavailable = 0;  ///< reads that ended in DatabaseUnavailable
    std::uint64_t deadlines = 0;    ///< reads that ended in QueryDeadline
  };

  /// Opens nothing yet.
  ReaderPool(std::filesystem::path file, Settings settings);
  explicit ReaderPool(std::filesystem::path file) : ReaderPool(std::move(file), Settings()) {}

  /// Runs `body(ReaderConnection&)` in one read transaction and returns what it returns. `body` is run again
  /// from its start after a transient error, so it must begin its results anew. Throws DatabaseUnavailable,
  /// QueryDeadline, what `body` throws, and SQLite::Exception for an error that waiting does not cure.
  template <typename Body>
  auto Read(Body&& body) -> std::invoke_result_t<Body&, ReaderConnection&> {
    using Result = std::invoke_result_t<Body&, ReaderConnection&>;
    if constexpr (std::is_void_v<Result>) {
      Run([&](ReaderConnection& connection) { body(connection); });
    } else {
      std::optional<Result> result;
      Run([&](ReaderConnection& connection) { result.emplace(body(connection)); });
      return std::move(*result);
    }
  }

  /// Closes the free handles now and those in use when they come back. To be called when the file was
  /// replaced.
  void Invalidate();

  Statistics statistics() const;

 private:
  class Lease;

  void Run(const std::function<void(ReaderConnection&)>& body);
  std::unique_ptr<ReaderConnection> Take(std::uint64_t& generation);
  void GiveBack(std::unique_ptr<ReaderConnection> connection, std::uint64_t generation);

  const std::filesystem::path file_;
  const Settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<ReaderConnection>> free_;
  std::size_t in_use_ = 0;
  std::uint64_t generation_ = 0;
  Statistics statistics_;
};

/// True when `error` is what a statement reports whose time was up.
bool IsInterrupted(const SQLite::Exception& error);

}  // namespace heliograph::server
