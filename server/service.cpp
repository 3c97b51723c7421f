#include <spdlog/spdlog.h>

#include <chrono>
#include <iostream>
#include <optional>
#include <stdexcept>

#include "common/channel_key_config.h"
#include "common/stop_signals.h"
#include "common/ulid.h"
#include "queue/publisher.h"
#include "server/analytics/clusters/mesh_jobs.h"
#include "server/analytics/cycle.h"
#include "server/analytics/neighbors/neighbor_analysis.h"
#include "server/clusters/job_scheduler.h"
#include "server/commands.h"
#include "server/http/http_server.h"
#include "server/http/limits.h"
#include "server/http/metrics.h"
#include "server/http/router.h"
#include "server/page/page.h"
#include "server/requests/request_desk.h"
#include "server/routes/register.h"
#include "server/routes/visibility.h"
#include "server/state/follower.h"
#include "server/state/readiness_gate.h"

namespace heliograph::server {
namespace {

void AddCoreMetrics(MetricsRegistry& metrics, const Follower& follower, const ReaderPool& readers) {
  const auto count = [&](const char* name, const char* help, auto read) {
    metrics.AddCounterCallback(name, help, [read] { return static_cast<double>(read()); });
  };
  count("heliograph_views_total", "Views of the mesh that were built.",
        [&follower] { return follower.statistics().views; });
  count("heliograph_state_rebuilds_total", "Times that the state was read from scratch.",
        [&follower] { return follower.statistics().rebuilds; });
  count("heliograph_path_hashes_evicted_total", "Path hashes that were forgotten for want of room.",
        [&follower] { return follower.statistics().evicted_hops; });
  count("heliograph_reads_total", "Read transactions that were answered.",
        [&readers] { return readers.statistics().reads; });
  count("heliograph_read_retries_total", "Reads that were tried again after a transient error.",
        [&readers] { return readers.statistics().retries; });
  count("heliograph_reads_unavailable_total", "Reads that found no readable database or no free reader.",
        [&readers] { return readers.statistics().unavailable; });
  count("heliograph_read_deadlines_total", "Reads that took too long.",
        [&readers] { return readers.statistics().deadlines; });
  metrics.AddGaugeCallback("heliograph_readers_open", "Read-only handles of the database.",
                           [&readers] { return static_cast<double>(readers.statistics().open); });
  metrics.AddGaugeCallback("heliograph_path_hashes", "Distinct multi-byte path hashes in memory.",
                           [&follower] { return static_cast<double>(follower.statistics().hops); });
}

AnalyticsCycle::Settings CycleSettings(const Config& config) {
  AnalyticsCycle::Settings settings;
  settings.interval = config.analytics_interval;
  return settings;
}

Follower::Settings FollowerSettings(const Config& config) {
  Follower::Settings settings;
  settings.limits.capability_age_out_days = config.capability_age_out_days;
  return settings;
}

ApiKeyGuard MakeGuard(const CommandOptions& options, const ListenAddress& address) {
  ApiKeyGuard::Settings settings;
  if (!options.config.api_key.empty()) settings.key = options.config.api_key;
  settings.insecure_writes = options.insecure_writes;
  settings.loopback_listener = address.IsLoopback();
  return ApiKeyGuard(settings);
}

/// Everything behind HTTP on one volume. Members are made in this order and end in the reverse.
class Service {
 public:
  Service(const CommandOptions& options, queue::Publisher& publisher, const std::string& boot_id,
          ApiKeyGuard guard, KeyRing channel_keys)
      : gate_(options.volume.database()),
        readers_(options.volume.database()),
        follower_(options.volume.database(), gate_, readers_, FollowerSettings(options.config)),
        neighbor_analysis_([this, rules = RulesOf(options.config)] { return follower_.Neighbors(rules); },
                           [this] { return DataTime(); }, publisher, readers_, neighbors_),
        mesh_jobs_([this] { return follower_.Current(); }, neighbors_, readers_,
                   MeshDivisionOf(options.config),
                   [visibility = Visibility(options.config)](const PublicKey& key, const NodeView* node) {
                     return visibility.Shows(key, node);
                   }),
        cycle_([this] { return follower_.Assess(); }, publisher, readers_, CycleSettings(options.config)),
        desk_(publisher, follower_, readers_),
        cluster_jobs_(
            [this](const ClusterJobOrder& order, JobProgress& progress, std::stop_token stop) {
              return mesh_jobs_.Compute(order, progress, std::move(stop));
            },
            desk_, readers_, JobSettings(options.config, boot_id)),
        request_metrics_(metrics_),
        http_(LimitsOf(options.config.http),
              [this](Request request) { return router_.Handle(std::move(request)); }) {
    cycle_.Add(kNeighborStream,
               [this](std::stop_token stop) { return neighbor_analysis_.Run(std::move(stop)); });
    RouteServices services;
    services.views = &follower_;
    services.neighbors = &neighbors_;
    services.readers = &readers_;
    services.readiness = &gate_;
    services.requests = &desk_;
    services.cluster_jobs = &cluster_jobs_;
    services.metrics = &metrics_;
    services.http_statistics = [this] { return http_.statistics(); };
    services.analytics = [this] { return cycle_.Latest(); };
    services.assessed_readiness = [this] { return cycle_.Readiness(); };
    services.channel_keys = std::move(channel_keys);
    services.volume = options.volume;
    services.boot_id = boot_id;
    AddCoreMetrics(metrics_, follower_, readers_);
    RegisterRoutes(router_, RouteContext(services, options.config));
    router_.SetPage(ServePage);
    router_.SetApiKeyGuard(std::move(guard));
    router_.SetCorsAllowedOrigins(options.config.cors_allowed_origins);
    router_.SetObserver(
        [this](Method method, std::string_view route, int status, std::chrono::nanoseconds time) {
          request_metrics_.Observe(Name(method), route, status, std::chrono::duration<double>(time).count());
        });
    router_.SetErrorLog(
        [](std::string_view path, std::string_view what) { spdlog::error("{}: {}", path, what); });
  }

  ReadinessGate& gate() { return gate_; }

  /// Throws ListenError.
  ListenAddress Start(const ListenAddress& address) {
    const ListenAddress bound = http_.Listen(address);
    follower_.Start();
    cycle_.Start();
    cluster_jobs_.Start();
    return bound;
  }
  void Stop() {
    http_.Stop();
    cluster_jobs_.Stop();
    cycle_.Stop();
    follower_.Stop();
  }

 private:
  ClusterJobScheduler::Settings JobSettings(const Config& config, const std::string& boot_id) const {
    ClusterJobScheduler::Settings settings;
    settings.boot_id = boot_id;
    settings.scheduled = {ClusterCollection::kMesh};
    settings.interval = config.clusters.interval;
    settings.is_ready = [this](ClusterCollection) { return mesh_jobs_.IsReady(); };
    settings.objection = [this](const ClusterJobOrder& order) { return mesh_jobs_.Objection(order); };
    return settings;
  }
  std::optional<UtcMillis> DataTime() const {
    const auto view = follower_.Current();
    return view ? view->data_time : std::nullopt;
  }

  ReadinessGate gate_;
  ReaderPool readers_;
  Follower follower_;
  NeighborBoard neighbors_;
  NeighborAnalysis neighbor_analysis_;
  MeshJobs mesh_jobs_;
  AnalyticsCycle cycle_;
  RequestDesk desk_;
  ClusterJobScheduler cluster_jobs_;
  MetricsRegistry metrics_;
  RequestMetrics request_metrics_;
  Router router_;
  HttpServer http_;
};

void LogMissing(const GateReport& report) {
  for (const std::string& item : report.missing) spdlog::info("the database is not ready: {}", item);
}

/// Returns when the process shall end, with the code that it ends with.
ExitCode WaitForTheEnd(StopSignals& signals, const ReadinessGate& gate) {
  while (!signals.Take()) {
    const GateReport report = gate.Latest();
    if (report.state != GateState::kRefused) continue;
    for (const std::string& item : report.missing) spdlog::error("the database is refused: {}", item);
    return ExitCode::kForeign;
  }
  spdlog::info("stopping");
  return ExitCode::kFine;
}

}  // namespace

ExitCode RunService(const CommandOptions& options) {
  const auto address = ListenAddress::Parse(options.config.listen);
  if (!address) {
    std::cerr << address.error() << '\n';
    return ExitCode::kUsage;
  }
  std::optional<ApiKeyGuard> guard;
  try {
    guard.emplace(MakeGuard(options, *address));
  } catch (const std::invalid_argument& error) {
    std::cerr << error.what() << '\n';
    return ExitCode::kUsage;
  }
  auto channel_keys = LoadChannelKeys(options.config);
  if (!channel_keys) {
    std::cerr << channel_keys.error().message << '\n';
    return ExitCode::kUsage;
  }
  const std::string boot_id = Ulid::Generate(WallClockNow()).ToText();
  auto publisher = queue::Publisher::Open(options.volume, boot_id);
  if (!publisher) {
    std::cerr << publisher.error().text << '\n';
    return publisher.error().fault == queue::OpenPublisherError::Fault::kHeldByAnother ? ExitCode::kHeld
                                                                                       : ExitCode::kFailed;
  }
  // The lock is ours from here, and signals are kept back, so that an end at any moment is an end in order.
  StopSignals signals;
  Service service(options, **publisher, boot_id, std::move(*guard), std::move(*channel_keys));
  if (const GateReport report = service.gate().Look(); report.state == GateState::kWaiting)
    LogMissing(report);
  const ListenAddress bound = service.Start(*address);
  spdlog::info("listening on http://{}", bound.ToText());
  const ExitCode code = WaitForTheEnd(signals, service.gate());
  service.Stop();
  return code;
}

}  // namespace heliograph::server
