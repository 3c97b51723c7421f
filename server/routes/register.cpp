#include "server/routes/register.h"

#include <utility>

#include "server/http/openapi.h"
#include "server/routes/branches.h"
#include "server/routes/changes.h"
#include "server/routes/clusters.h"
#include "server/routes/entities.h"
#include "server/routes/events.h"
#include "server/routes/health.h"
#include "server/routes/history.h"
#include "server/routes/json_response.h"
#include "server/routes/metrics_route.h"
#include "server/routes/multibyte.h"
#include "server/routes/neighbors.h"
#include "server/routes/nodes.h"
#include "server/routes/observers.h"
#include "server/routes/packets.h"
#include "server/routes/pins.h"
#include "server/routes/posted_packet.h"
#include "server/routes/prune.h"
#include "server/routes/readiness.h"
#include "server/routes/recovery.h"
#include "server/routes/requests.h"
#include "server/routes/stats.h"
#include "server/routes/topology.h"

namespace heliograph::server {
namespace {

void RegisterSpecRoute(Router& router) {
  Route route;
  route.path = "/api/spec";
  route.tag = "operation";
  route.summary = "This description, as OpenAPI 3.";
  const Router* described = &router;
  route.handler = [described](const Request& request) {
    return TaggedJson(request, OpenApiDocument(*described, "Heliograph", HELIOGRAPH_VERSION));
  };
  router.Add(std::move(route));
}

}  // namespace

void RegisterRoutes(Router& router, const RouteContext& context) {
  RegisterHealthRoutes(router, context);
  RegisterMetricsRoute(router, context);
  RegisterSpecRoute(router);
  RegisterStatsRoutes(router, context);
  RegisterNodeRoutes(router, context);
  RegisterObserverRoutes(router, context);
  RegisterPacketRoutes(router, context);
  RegisterPostedPacketRoutes(router, context);
  RegisterMultibyteRoutes(router, context);
  RegisterNeighborRoutes(router, context);
  RegisterTopologyRoutes(router, context);
  RegisterHistoryRoutes(router, context);
  RegisterEntityRoutes(router, context);
  RegisterChangeRoutes(router, context);
  RegisterEventRoutes(router, context);
  RegisterBranchRoutes(router, context);
  RegisterPinRoutes(router, context);
  RegisterRecoveryRoute(router, context);
  RegisterReadinessRoute(router, context);
  RegisterClusterRoutes(router, context);
  RegisterClusterLineageRoutes(router, context);
  RegisterClusterRunRoutes(router, context);
  RegisterClusterOverrideRoutes(router, context);
  RegisterClusterJobRoutes(router, context);
  RegisterRequestRoutes(router, context);
  RegisterPruneRoutes(router, context);
}

}  // namespace heliograph::server
