#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include <tl/expected.hpp>

#include "common/multibyte_snapshot.h"
#include "common/time.h"
#include "common/ulid.h"
#include "queue/publisher.h"
#include "server/analytics/assessed_readiness.h"
#include "server/analytics/cycle_report.h"
#include "server/requests/ledger_numbers.h"
#include "server/state/mesh_state.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The stream of the capability snapshots.
inline constexpr const char* kMultibyteStream = "multibyte";

/// Computes what the whole mesh can do, and what a switch would leave of it, and hands it to the ingestor
/// when it says anything new. At most one file of the stream waits at a time. Thread-safe.
class AnalyticsCycle {
 public:
  using Assess = std::function<std::optional<CapabilityAssessment>()>;

  struct Settings {
    std::chrono::milliseconds interval{60'000};
    std::chrono::milliseconds first_look{200};  ///< between two looks for the first complete assessment
    /// Publishes although an older file waits: for commands that run once and cannot wait.
    bool supersede_pending = false;
  };

  /// `assess` is called from the cycle's thread. The others outlive the cycle.
  AnalyticsCycle(Assess assess, queue::Publisher& publisher, ReaderPool& readers, Settings settings);
  ~AnalyticsCycle();
  AnalyticsCycle(const AnalyticsCycle&) = delete;
  AnalyticsCycle& operator=(const AnalyticsCycle&) = delete;

  /// One cycle, now. Tells the publisher the ledger's highest number before it first publishes. Throws
  /// nothing: what goes wrong is in the report.
  CycleReport RunOnce();

  /// Runs cycles on a thread of their own: the first as soon as the assessment is complete. REQUIRED: called
  /// once.
  void Start();
  void Stop();

  /// The newest readiness that was assessed by this process; null before.
  std::shared_ptr<const AssessedReadiness> Readiness() const;

  /// The last report, for the operator; without an end before the first cycle.
  CycleReport Latest() const;

 private:
  struct Published {
    Ulid id;
    std::string epoch;
    std::string payload;
  };

  CycleReport Compute();
  std::shared_ptr<const AssessedReadiness> AssessReadiness(CapabilityAssessment& assessment,
                                                           CycleReport& report);
  std::optional<CycleReport> FindOutstanding(const CapabilityAssessment& assessment);
  void SettleLast();
  CycleReport Publish(const CapabilityAssessment& assessment, const AssessedReadiness* readiness,
                      CycleReport report);
  void Run(std::stop_token stop);

  const Assess assess_;
  queue::Publisher& publisher_;
  ReaderPool& readers_;
  const Settings settings_;
  LedgerNumbers ledger_;

  std::mutex cycle_mutex_;         ///< one cycle at a time
  std::optional<Published> last_;  ///< the newest file; guarded by cycle_mutex_
  bool last_settled_ = true;       ///< its outcome is known; guarded by cycle_mutex_

  mutable std::mutex report_mutex_;
  CycleReport latest_;                                  ///< guarded by report_mutex_
  std::shared_ptr<const AssessedReadiness> readiness_;  ///< guarded by report_mutex_
  std::mutex pause_mutex_;
  std::condition_variable_any pause_;
  std::jthread thread_;
};

}  // namespace heliograph::server
