#include "server/state/reader_pool.h"

#include <sqlite3.h>

#include <thread>

namespace heliograph::server {
namespace {

// Instructions of SQLite's virtual machine between two looks at the clock: some tens of microseconds.
constexpr int kProgressSteps = 4000;
// The pool tries again by itself; a handle that waits longer would eat the time for that.
constexpr int kBusyTimeoutMs = 50;
constexpr std::chrono::milliseconds kRetryPause{5};

}  // namespace

bool IsInterrupted(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_INTERRUPT;
}

ReaderConnection::ReaderConnection(const std::filesystem::path& file)
    : database_(dbschema::OpenForReading(file)) {
  database_.setBusyTimeout(kBusyTimeoutMs);
  sqlite3_progress_handler(database_.getHandle(), kProgressSteps, &ReaderConnection::OnProgress, this);
}

ReaderConnection::~ReaderConnection() {
  sqlite3_progress_handler(database_.getHandle(), 0, nullptr, nullptr);
}

int ReaderConnection::OnProgress(void* self) {
  const auto& deadline = static_cast<ReaderConnection*>(self)->deadline_;
  return deadline && std::chrono::steady_clock::now() > *deadline ? 1 : 0;
}

SQLite::Statement& ReaderConnection::Prepared(const std::string& sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    if (statements_.size() >= kMaxStatements) statements_.clear();
    found = statements_.emplace(sql, std::make_unique<SQLite::Statement>(database_, sql)).first;
  }
  found->second->tryReset();
  found->second->clearBindings();
  return *found->second;
}

void ReaderConnection::Reset() {
  for (auto& [sql, statement] : statements_) statement->tryReset();
}

ReadTransaction::ReadTransaction(ReaderConnection& connection, std::chrono::milliseconds limit)
    : connection_(connection) {
  connection_.deadline_ = std::chrono::steady_clock::now() + limit;
  connection_.database_.exec("BEGIN");
}

ReadTransaction::~ReadTransaction() {
  connection_.deadline_.reset();
  connection_.Reset();
  connection_.database_.tryExec("COMMIT");
}

/// One handle out of the pool, given back on every way out; a handle that failed is closed instead.
class ReaderPool::Lease {
 public:
  explicit Lease(ReaderPool& pool) : pool_(pool), connection_(pool.Take(generation_)) {}
  ~Lease() { pool_.GiveBack(std::move(connection_), generation_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  ReaderConnection& connection() {
    if (!connection_) connection_ = std::make_unique<ReaderConnection>(pool_.file_);
    return *connection_;
  }
  void Drop() { connection_.reset(); }

 private:
  ReaderPool& pool_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<ReaderConnection> connection_;
};

ReaderPool::ReaderPool(std::filesystem::path file, Settings settings)
    : file_(std::move(file)), settings_(settings) {}

std::unique_ptr<ReaderConnection> ReaderPool::Take(std::uint64_t& generation) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, settings_.wait_limit, [&] { return in_use_ < settings_.size; })) {
    ++statistics_.unavailable;
    throw DatabaseUnavailable("all " + std::to_string(settings_.size) +
                              " readers of the database are busy; try again in a moment");
  }
  ++in_use_;
  generation = generation_;
  if (free_.empty()) return nullptr;
  auto connection = std::move(free_.back());
  free_.pop_back();
  return connection;
}

void ReaderPool::GiveBack(std::unique_ptr<ReaderConnection> connection, std::uint64_t generation) {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (connection && generation == generation_) free_.push_back(std::move(connection));
  }
  freed_.notify_one();
}

void ReaderPool::Invalidate() {
  std::vector<std::unique_ptr<ReaderConnection>> closing;
  const std::lock_guard lock(mutex_);
  ++generation_;
  closing.swap(free_);
}

ReaderPool::Statistics ReaderPool::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics statistics = statistics_;
  statistics.open = free_.size() + in_use_;
  return statistics;
}

void ReaderPool::Run(const std::function<void(ReaderConnection&)>& body) {
  Lease lease(*this);
  const auto give_up = std::chrono::steady_clock::now() + settings_.retry_for;
  for (;;) {
    try {
      {
        const ReadTransaction transaction(lease.connection(), settings_.query_limit);
        body(lease.connection());
      }
      const std::lock_guard lock(mutex_);
      ++statistics_.reads;
      return;
    } catch (const SQLite::Exception& error) {
      // A handle from before a restart of the writer may fail for ever; a new one finds out what is true now.
      lease.Drop();
      const std::lock_guard lock(mutex_);
      if (IsInterrupted(error)) {
        ++statistics_.deadlines;
        throw QueryDeadline("the question took longer than " + std::to_string(settings_.query_limit.count()) +
                            " ms; ask for less at a time");
      }
      if (!dbschema::IsTransient(error)) throw;
      if (std::chrono::steady_clock::now() >= give_up) {
        ++statistics_.unavailable;
        throw DatabaseUnavailable("the database cannot be read just now (" + std::string(error.what()) +
                                  "); try again in a moment");
      }
      ++statistics_.retries;
    }
    std::this_thread::sleep_for(kRetryPause);
  }
}

}  // namespace heliograph::server
