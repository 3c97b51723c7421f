#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "server/state/mesh_state.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"
#include "server/state/readiness_gate.h"

namespace heliograph::server {

/// Keeps the view of the mesh up to date: one thread with one connection of its own, which holds no read
/// transaction while it waits. Survives restarts of the writer, and begins anew when the database is replaced
/// by another. Thread-safe.
class Follower : public MeshViewSource {
 public:
  struct Settings {
    std::chrono::milliseconds poll{100};           ///< between two looks for a commit of the writer
    std::chrono::milliseconds view_interval{250};  ///< least time between two views
    std::chrono::milliseconds warm_interval{
        1000};  ///< the same while the packets are being read for the first time
    std::chrono::milliseconds step_limit{5000};   ///< for one read transaction
    std::chrono::milliseconds gate_period{1000};  ///< between two looks at a database that is not ready
    MeshState::Limits limits;
  };

  /// For the operator. Counts run from the start of the process.
  struct Statistics {
    std::uint64_t views = 0;
    std::uint64_t rebuilds = 0;  ///< the state was read from scratch, the first time among them
    std::uint64_t read_errors = 0;
    std::uint64_t evicted_hops = 0;                           ///< path hashes forgotten for want of room
    std::size_t hops = 0;                                     ///< path hashes known
    std::optional<std::chrono::milliseconds> warm_after;      ///< from Start to the first view
    std::optional<std::chrono::milliseconds> complete_after;  ///< from Start to the first complete view
  };

  /// `gate` and `readers` outlive the follower. `readers` is invalidated when the database is replaced.
  Follower(std::filesystem::path database, ReadinessGate& gate, ReaderPool& readers, Settings settings);
  Follower(std::filesystem::path database, ReadinessGate& gate, ReaderPool& readers)
      : Follower(std::move(database), gate, readers, Settings()) {}
  ~Follower() override;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// REQUIRED: called once.
  void Start();
  /// Ends the thread and returns when it has ended. May be called more than once.
  void Stop();

  /// Null before the first view. Never waits for the database.
  std::shared_ptr<const MeshView> Current() const override;

  /// Waits until `accepts` is true of a view, which is returned; null when `stop` was requested, the follower
  /// ended, or `timeout` passed before.
  std::shared_ptr<const MeshView> WaitFor(const std::function<bool(const MeshView&)>& accepts,
                                          std::stop_token stop, std::chrono::milliseconds timeout) const;

  /// True once the follower will show no view any more: it was stopped, or the database was refused.
  bool ended() const;

  /// Runs the models of the whole mesh, shows what they say, and returns the capability of all nodes; nothing
  /// until all packets have been read. For the analytics cycle: the follower waits meanwhile.
  std::optional<CapabilityAssessment> Assess();

  /// Who hands floods to whom, likewise.
  std::optional<NeighborGraph> Neighbors(const NeighborRules& rules) const;

  Statistics statistics() const;

 private:
  struct FileIdentity {
    std::uint64_t device = 0, inode = 0;
    bool operator==(const FileIdentity&) const = default;
  };

  void Run(std::stop_token stop);
  void FollowDatabase(std::stop_token stop);
  bool Advance(ReaderConnection& connection, std::stop_token stop);
  void Begin(ReaderConnection& connection);
  MeshState::Step StepOnce(ReaderConnection& connection);
  void RecountIfDue(ReaderConnection& connection);
  void Recover(std::stop_token stop);
  void ShowWhenDue(bool catching_up);
  void Show();
  void Pause(std::stop_token stop, std::chrono::milliseconds time);
  bool FileWasReplaced();
  static std::optional<FileIdentity> IdentityOf(const std::filesystem::path& file);

  const std::filesystem::path database_;
  ReadinessGate& gate_;
  ReaderPool& readers_;
  const Settings settings_;

  mutable std::mutex view_mutex_;
  mutable std::condition_variable_any view_changed_;
  std::shared_ptr<const MeshView> view_;  ///< guarded by view_mutex_
  Statistics statistics_;                 ///< guarded by view_mutex_
  bool ended_ = false;                    ///< guarded by view_mutex_

  mutable std::mutex state_mutex_;    ///< taken before view_mutex_ when both are
  std::unique_ptr<MeshState> state_;  ///< guarded by state_mutex_
  std::uint64_t generation_;          ///< of the newest view; guarded by state_mutex_

  std::mutex pause_mutex_;
  std::condition_variable_any pause_;

  // Used by the thread alone.
  std::optional<FileIdentity> file_;
  std::int64_t data_version_ = -1;
  std::pair<std::int64_t, std::int64_t> schema_;  ///< SQLite's version of the schema, and ours
  bool dirty_ = false;
  std::chrono::milliseconds retry_pause_;  ///< before the next try after an error
  std::chrono::steady_clock::time_point started_, last_shown_{}, last_file_check_{};
  std::jthread thread_;
};

}  // namespace heliograph::server
