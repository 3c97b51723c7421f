#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/clusters/job_desk.h"
#include "server/routes/request_publisher.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Carries out jobs one after the other on a thread of its own: those that are asked for, and one for each
/// collection on main whenever its time has come. A job whose run is published ends with what the ledger says
/// of that file, and until then no other job begins, so that at most one run of a collection waits. An end
/// that the queue refuses is published at the next look, and until then no other job begins either.
/// Unfinished jobs of the database that this process does not know, those of other processes among them, are
/// ended as failed. Thread-safe.
class ClusterJobScheduler : public ClusterJobDesk {
 public:
  struct Settings {
    std::string boot_id;
    std::vector<ClusterCollection> scheduled;  ///< collections that are run again and again
    std::function<bool(ClusterCollection)>
        is_ready;  ///< whether a scheduled job makes sense yet; empty: always
    /// Why an order can never be carried out, for whoever asks; empty: there is no such order.
    std::function<std::optional<std::string>(const ClusterJobOrder&)> objection;
    std::chrono::milliseconds interval{900'000};
    std::chrono::milliseconds first_after{5'000};
    std::chrono::milliseconds look{1'000};  ///< how often the ledger, and other boots' jobs, are looked at
  };

  /// `publisher` and `readers` outlive it.
  ClusterJobScheduler(ComputeClusters compute, RequestPublisher& publisher, ReaderPool& readers,
                      Settings settings);
  ~ClusterJobScheduler() override;
  ClusterJobScheduler(const ClusterJobScheduler&) = delete;
  ClusterJobScheduler& operator=(const ClusterJobScheduler&) = delete;

  /// REQUIRED: called once.
  void Start();
  /// Ends the running job as cancelled, and returns when its thread is gone. From then on no job begins;
  /// those that wait are ended by the next process.
  void Stop();

  JobSubmission Submit(const ClusterJobOrder& order) override;
  CancelOutcome Cancel(const Ulid& job) override;
  std::vector<ClusterJobView> Jobs() const override;

  /// One turn of the thread's work, for whoever has no thread: ends what can be ended, and carries out a job
  /// that waits. Returns true when it did anything.
  bool RunTurn();

 private:
  struct Entry {
    ClusterJob job;
    ClusterJobOrder order;
    JobProgress progress;
    std::stop_source stop;
    std::optional<ClusterJobOrder> rerun;  ///< what is to follow it
    std::optional<Ulid> file;              ///< its run, once that is published
    std::optional<ClusterJob> end;         ///< as it shall be, until the queue takes that
  };
  using EntryPointer = std::shared_ptr<Entry>;

  static EntryPointer EntryOf(const ClusterJobOrder& order);
  void Keep(const EntryPointer& entry);
  void Enqueue(const ClusterJobOrder& order);
  /// The job that does what the order asks for and is not finished, or null.
  EntryPointer Unfinished(const ClusterJobOrder& order) const;
  ClusterJobView ViewOf(const Entry& entry) const;
  void Tell(const ClusterJob& job);
  static void WantEnd(Entry& entry, ClusterJobState state, std::string_view error,
                      const std::string& statistics);
  bool PublishEnds();
  bool SettlePublished();
  bool EndUnknown();
  bool EnqueuePromised();
  bool ScheduleDue();
  bool RunNext();
  void SetLine(Entry& entry, const BranchLine& line);
  void CarryOut(Entry& entry);
  void Conclude(Entry& entry, tl::expected<ClusterJobResult, std::string> result);
  void PublishRun(Entry& entry, const ClusterJobResult& result);
  void Loop(const std::stop_token& stop);

  const ComputeClusters compute_;
  RequestPublisher& publisher_;
  ReaderPool& readers_;
  const Settings settings_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool stopping_ = false;          ///< guarded by mutex_
  std::deque<EntryPointer> jobs_;  ///< oldest first; guarded by mutex_, and so are the jobs in it
  std::map<ClusterCollection, std::chrono::steady_clock::time_point> due_;  ///< used by the thread
  std::set<std::string> ended_unknown_;                                     ///< used by the thread
  std::string last_failure_;                                                ///< used by the thread
  std::jthread thread_;
};

}  // namespace heliograph::server
