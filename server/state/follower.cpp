#include "server/state/follower.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>

namespace heliograph::server {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstRetryPause{100};
constexpr milliseconds kLongestRetryPause{5000};
constexpr milliseconds kFileCheckPeriod{1000};
// One connection reads whole tables once; more than SQLite's 2 MB saves it from reading interior pages again.
constexpr const char* kCacheSize = "PRAGMA cache_size=-8192";

std::int64_t ReadPragma(ReaderConnection& connection, const char* sql) {
  SQLite::Statement& row = connection.Prepared(sql);
  row.executeStep();
  const std::int64_t value = row.getColumn(0).getInt64();
  row.reset();
  return value;
}

/// Differs after a migration, whether it changed a table or only the number that it leaves.
std::pair<std::int64_t, std::int64_t> ReadSchemaVersion(ReaderConnection& connection) {
  const std::int64_t schema = ReadPragma(connection, "PRAGMA schema_version");
  return {schema, ReadPragma(connection, "PRAGMA user_version")};
}

}  // namespace

Follower::Follower(std::filesystem::path database, ReadinessGate& gate, ReaderPool& readers,
                   Settings settings)
    : database_(std::move(database)),
      gate_(gate),
      readers_(readers),
      settings_(settings),
      // So that generations of one boot are never those of another: views are fewer than milliseconds.
      generation_(static_cast<std::uint64_t>(WallClockNow().time_since_epoch().count())) {}

Follower::~Follower() {
  Stop();
}

void Follower::Start() {
  started_ = Clock::now();
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void Follower::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

std::shared_ptr<const MeshView> Follower::Current() const {
  const std::lock_guard lock(view_mutex_);
  return view_;
}

std::shared_ptr<const MeshView> Follower::WaitFor(const std::function<bool(const MeshView&)>& accepts,
                                                  std::stop_token stop, milliseconds timeout) const {
  std::unique_lock lock(view_mutex_);
  const auto accepted = [&] { return view_ && accepts(*view_); };
  view_changed_.wait_for(lock, stop, timeout, [&] { return ended_ || accepted(); });
  return accepted() ? view_ : nullptr;
}

std::optional<CapabilityAssessment> Follower::Assess() {
  const std::lock_guard lock(state_mutex_);
  if (!state_ || !state_->complete()) return std::nullopt;
  state_->UpdateModel();
  Show();
  return state_->Assess();
}

std::optional<NeighborGraph> Follower::Neighbors(const NeighborRules& rules) const {
  const std::lock_guard lock(state_mutex_);
  if (!state_ || !state_->complete()) return std::nullopt;
  return state_->Neighbors(rules);
}

bool Follower::ended() const {
  const std::lock_guard lock(view_mutex_);
  return ended_;
}

Follower::Statistics Follower::statistics() const {
  const std::lock_guard lock(view_mutex_);
  return statistics_;
}

void Follower::Run(std::stop_token stop) {
  retry_pause_ = kFirstRetryPause;
  while (!stop.stop_requested() && gate_.WaitUntilReady(stop, settings_.gate_period)) {
    try {
      FollowDatabase(stop);
      continue;
    } catch (const SQLite::Exception& error) {
      if (dbschema::IsTransient(error)) {
        spdlog::debug("the database cannot be read just now: {}", error.what());
      } else {
        spdlog::warn("reading the database failed, and is tried again: {}", error.what());
      }
    } catch (const std::exception& error) {
      spdlog::error("following the database failed, and is tried again: {}", error.what());
    }
    Recover(stop);
  }
  const std::lock_guard lock(view_mutex_);
  ended_ = true;
  view_changed_.notify_all();
}

/// Waits longer after each error in a row, so that one that stays costs little.
void Follower::Recover(std::stop_token stop) {
  {
    const std::lock_guard lock(view_mutex_);
    ++statistics_.read_errors;
  }
  Pause(stop, retry_pause_);
  retry_pause_ = std::min(retry_pause_ * 2, kLongestRetryPause);
}

/// Returns when the gate should look again: the file or its schema is another than it was.
void Follower::FollowDatabase(std::stop_token stop) {
  file_ = IdentityOf(database_);
  ReaderConnection connection(database_);
  connection.database().exec(kCacheSize);
  data_version_ = -1;
  schema_ = ReadSchemaVersion(connection);
  while (!stop.stop_requested() && gate_.ready()) {
    if (FileWasReplaced()) {
      spdlog::warn("{} was replaced by another file; all state is read anew", database_.string());
      readers_.Invalidate();
      const std::lock_guard lock(state_mutex_);
      state_.reset();
      return;
    }
    const std::int64_t version = ReadPragma(connection, "PRAGMA data_version");
    if (version != data_version_) {
      if (ReadSchemaVersion(connection) != schema_) return;
      if (!Advance(connection, stop)) return;
      data_version_ = version;
      retry_pause_ = kFirstRetryPause;
    }
    ShowWhenDue(false);
    Pause(stop, dirty_ ? std::min(settings_.poll, settings_.view_interval) : settings_.poll);
  }
}

/// Takes in all that is there. False when the database is another than before.
bool Follower::Advance(ReaderConnection& connection, std::stop_token stop) {
  while (!stop.stop_requested()) {
    const MeshState::Step step = StepOnce(connection);
    if (step == MeshState::Step::kReplaced) {
      spdlog::warn("the database was restored (another epoch); all state is read anew");
      readers_.Invalidate();
      return false;
    }
    dirty_ = true;
    if (step == MeshState::Step::kUpToDate) break;
    ShowWhenDue(true);
  }
  RecountIfDue(connection);
  return true;
}

/// One read transaction. What was taken in before an error of SQLite stays; after any other error all is read
/// anew.
MeshState::Step Follower::StepOnce(ReaderConnection& connection) {
  const std::lock_guard lock(state_mutex_);
  try {
    // The first read is where a busy writer is met; nothing has been taken in by then.
    const ReadTransaction transaction(connection, settings_.step_limit);
    if (!state_) Begin(connection);
    const MeshState::Step step = state_->Follow(connection);
    if (step == MeshState::Step::kReplaced) state_.reset();
    return step;
  } catch (const SQLite::Exception& error) {
    if (IsInterrupted(error)) {
      if (state_ && state_->HalvePage()) return MeshState::Step::kMore;
    } else if (!dbschema::IsTransient(error)) {
      state_.reset();
    }
    throw;
  } catch (...) {
    state_.reset();
    throw;
  }
}

/// In a transaction of its own, for it takes longer than a step. Without it the totals drift, and no more.
void Follower::RecountIfDue(ReaderConnection& connection) {
  const std::lock_guard lock(state_mutex_);
  if (!state_ || !state_->NeedsRecount()) return;
  try {
    const ReadTransaction transaction(connection, settings_.step_limit);
    state_->Recount(connection);
    dirty_ = true;
  } catch (const SQLite::Exception& error) {
    spdlog::warn("the packets could not be counted again after retention: {}", error.what());
  }
}

void Follower::Begin(ReaderConnection& connection) {
  auto state = std::make_unique<MeshState>(settings_.limits, generation_);
  state->LoadWarm(connection);
  state_ = std::move(state);
  const std::lock_guard lock(view_mutex_);
  ++statistics_.rebuilds;
  // A complete view of the same history stays until there is another.
  if (!view_ || view_->epoch != state_->epoch()) {
    view_ = state_->View();
    generation_ = view_->generation;
    last_shown_ = Clock::now();
    ++statistics_.views;
    if (!statistics_.warm_after)
      statistics_.warm_after = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
    view_changed_.notify_all();
  }
}

void Follower::ShowWhenDue(bool catching_up) {
  if (!dirty_) return;
  const std::lock_guard lock(state_mutex_);
  if (!state_) return;
  const auto since = Clock::now() - last_shown_;
  const bool was_complete = view_ && view_->progress == AnalyticsProgress::kComplete;
  if (catching_up && !state_->complete() && (was_complete || since < settings_.warm_interval)) return;
  if (since < settings_.view_interval && was_complete) return;
  Show();
  dirty_ = false;
  last_shown_ = Clock::now();
}

/// REQUIRED: state_mutex_ is held.
void Follower::Show() {
  std::shared_ptr<const MeshView> view = state_->View();
  const std::lock_guard lock(view_mutex_);
  statistics_.hops = state_->evidence().hop_count();
  statistics_.evicted_hops = state_->evidence().evicted_hops();
  if (view == view_) return;
  generation_ = view->generation;
  view_ = std::move(view);
  ++statistics_.views;
  if (!statistics_.complete_after && view_->progress == AnalyticsProgress::kComplete)
    statistics_.complete_after = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
  view_changed_.notify_all();
}

void Follower::Pause(std::stop_token stop, milliseconds time) {
  std::unique_lock lock(pause_mutex_);
  pause_.wait_for(lock, stop, time, [] { return false; });
}

std::optional<Follower::FileIdentity> Follower::IdentityOf(const std::filesystem::path& file) {
  // stat(2), for opening and closing the file would drop SQLite's locks.
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

bool Follower::FileWasReplaced() {
  const auto now = Clock::now();
  if (now - last_file_check_ < kFileCheckPeriod) return false;
  last_file_check_ = now;
  // A file that is gone just now will be followed by another, or is unreachable for a moment.
  const auto identity = IdentityOf(database_);
  return identity && identity != file_;
}

}  // namespace heliograph::server
