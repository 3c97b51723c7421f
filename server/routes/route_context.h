#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/config.h"
#include "common/key_ring.h"
#include "common/time.h"
#include "common/volume.h"
#include "server/analytics/assessed_readiness.h"
#include "server/analytics/cycle_report.h"
#include "server/http/http_server.h"
#include "server/http/metrics.h"
#include "server/routes/request_publisher.h"
#include "server/routes/scan_slots.h"
#include "server/routes/visibility.h"
#include "server/state/mesh_view.h"
#include "server/state/reader_pool.h"
#include "server/state/readiness_gate.h"

namespace heliograph::server {

class ClusterJobDesk;
class NeighborBoard;

/// What the routes work with. All of it is thread-safe and outlives the router.
struct RouteServices {
  const MeshViewSource* views = nullptr;
  ReaderPool* readers = nullptr;
  ReadinessGate* readiness = nullptr;
  RequestPublisher* requests = nullptr;
  ClusterJobDesk* cluster_jobs = nullptr;    ///< may be null: then no job can be asked for
  const NeighborBoard* neighbors = nullptr;  ///< may be null: then there is no neighbor graph
  MetricsRegistry* metrics = nullptr;
  std::function<HttpStatistics()> http_statistics;  ///< may be empty
  std::function<CycleReport()> analytics;           ///< the last cycle; may be empty
  /// The readiness that this process assessed last, null before; may be empty.
  std::function<std::shared_ptr<const AssessedReadiness>()> assessed_readiness;
  std::function<UtcMillis()> clock = WallClockNow;
  KeyRing channel_keys = KeyRing::WithPublic();  ///< the channels that can be read
  Volume volume{"."};                            ///< for the sizes of files and the backlog of the queue
  std::string boot_id;  ///< of this process: figures that live in memory begin anew with it
};

/// The services with what follows from the configuration. A cheap copy, kept by every handler.
class RouteContext {
 public:
  RouteContext(RouteServices services, Config config)
      : parts_(std::make_shared<const Parts>(std::move(services), std::move(config))) {}

  const RouteServices& services() const { return parts_->services; }
  const Config& config() const { return parts_->config; }
  const Visibility& visibility() const { return parts_->visibility; }
  /// To show what is said on the channels.
  const KeyRing& channel_keys() const { return parts_->services.channel_keys; }
  /// For requests that search through the packet tables.
  ScanSlots& scans() const { return parts_->scans; }
  UtcMillis Now() const { return parts_->services.clock(); }
  /// When the routes were made, which is when the server started.
  UtcMillis started_at() const { return parts_->started_at; }

 private:
  struct Parts {
    Parts(RouteServices with_services, Config with_config)
        : services(std::move(with_services)),
          config(std::move(with_config)),
          visibility(config),
          started_at(services.clock()) {}
    RouteServices services;
    Config config;
    Visibility visibility;
    UtcMillis started_at;
    mutable ScanSlots scans;
  };

  std::shared_ptr<const Parts> parts_;
};

}  // namespace heliograph::server
