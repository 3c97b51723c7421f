#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "common/multibyte_snapshot.h"
#include "queue/publisher.h"
#include "server/analytics/assessed_readiness.h"
#include "server/analytics/cycle_report.h"
#include "server/analytics/snapshot_stream.h"
#include "server/state/mesh_state.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// The stream of the capability snapshots.
inline constexpr const char* kMultibyteStream = "multibyte";

/// Computes what the whole mesh can do, and what a switch would leave of it, and hands it to the ingestor
/// when it says anything new; then does the same for whatever else is computed in every cycle. At most one
/// file of each stream waits at a time. Thread-safe.
class AnalyticsCycle {
 public:
  using Assess = std::function<std::optional<CapabilityAssessment>()>;
  /// Computes and publishes one stream. Ends early when it is asked to. What it throws becomes a failed
  /// report.
  using Part = std::function<StreamReport(std::stop_token stop)>;

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

  /// Another part of every cycle, after those that were added before. `name` says what it computes. REQUIRED:
  /// before the first cycle; what `part` refers to outlives this.
  void Add(std::string name, Part part);

  /// One cycle, now. Returns the report on capability. Throws nothing: what goes wrong is in the reports.
  CycleReport RunOnce();

  /// Runs cycles on a thread of their own: the first as soon as the assessment is complete. REQUIRED: called
  /// once.
  void Start();
  void Stop();

  /// The newest readiness that was assessed by this process; null before.
  std::shared_ptr<const AssessedReadiness> Readiness() const;

  /// The last report on capability, for the operator; without an end before the first cycle.
  CycleReport Latest() const;
  /// The last report on a part that was added under this name; without an end before the first cycle, and for
  /// a name that there is not.
  StreamReport LatestOf(std::string_view name) const;

 private:
  struct AddedPart {
    std::string name;
    Part run;
    StreamReport latest;  ///< guarded by report_mutex_
    StreamReport::Result logged = StreamReport::Result::kNotComplete;
  };

  CycleReport AssessCapability();
  std::shared_ptr<const AssessedReadiness> AssessReadiness(CapabilityAssessment& assessment,
                                                           CycleReport& report);
  void RunParts();
  void Log(const CycleReport& report);
  void Log(AddedPart& part);
  void Run(std::stop_token stop);

  const Assess assess_;
  const Settings settings_;
  std::stop_source stop_;

  std::mutex cycle_mutex_;     ///< one cycle at a time
  SnapshotStream capability_;  ///< guarded by cycle_mutex_
  std::vector<AddedPart> parts_;
  CycleReport::Result logged_ = CycleReport::Result::kNotComplete;

  mutable std::mutex report_mutex_;
  CycleReport latest_;                                  ///< guarded by report_mutex_
  std::shared_ptr<const AssessedReadiness> readiness_;  ///< guarded by report_mutex_
  std::mutex pause_mutex_;
  std::condition_variable_any pause_;
  std::jthread thread_;
};

}  // namespace heliograph::server
