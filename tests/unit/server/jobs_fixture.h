#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/clusters/job_scheduler.h"
#include "tests/unit/server/clusters_fixture.h"

namespace heliograph::server {

/// A scheduler whose computation is what the test says, and whose files an ingestor applies when it is told
/// to.
class JobsTest : public ClustersTest {
 protected:
  JobsTest() : readers_(mesh_.file()) { Begin(TestSettings()); }

  static ClusterJobScheduler::Settings TestSettings() {
    ClusterJobScheduler::Settings settings;
    settings.boot_id = "boot";
    return settings;
  }
  /// Another scheduler in place of the one before.
  void Begin(ClusterJobScheduler::Settings settings) {
    scheduler_ = std::make_unique<ClusterJobScheduler>(
        [this](const ClusterJobOrder& order, JobProgress& progress, std::stop_token stop) {
          return compute_(order, progress, stop);
        },
        queue_, readers_, std::move(settings));
    jobs_ = scheduler_.get();
  }

  /// All turns until there is nothing to do.
  void RunAll() {
    while (scheduler_->RunTurn()) {
    }
  }
  Json Job(const std::string& id) { return GetJson("/api/cluster-jobs/" + id); }
  std::string Ask(const std::string& body = "{}") {
    return PostJson("/api/cluster-jobs", body, 202).at("id").get<std::string>();
  }
  /// The newest file is applied, and leaves the queue.
  void ApplyQueue() {
    ApplyPosted();
    for (std::size_t i = 0; i < queue_.ids.size(); ++i) {
      // Under the ids of the held queue, as the scheduler knows them.
      mesh_.Run("INSERT OR IGNORE INTO ledger(id, applied_at, boot_id, outcome, reason) SELECT '" +
                queue_.ids[i].ToText() + "', max(applied_at) + 1, 'i', CASE WHEN '" + outcome_ +
                "'='' THEN 'noop' ELSE '" + outcome_ + "' END, 'so it is' FROM ledger");
    }
    queue_.ids.clear();
  }

  static ClusterJobResult Found(std::vector<std::vector<int>> clusters) {
    ClusterJobResult result;
    result.snapshot = RunOf(clusters);
    result.epoch = "of the input";
    result.statistics = R"({"edges":17})";
    return result;
  }

  ComputeClusters compute_ = [](const ClusterJobOrder&, JobProgress&, std::stop_token) {
    return tl::expected<ClusterJobResult, std::string>(Found({kWest, kEast}));
  };
  std::string outcome_;
  ReaderPool readers_;
  std::unique_ptr<ClusterJobScheduler> scheduler_;
};

}  // namespace heliograph::server
