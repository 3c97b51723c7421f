#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/clusters, /api/clusters/{id}, /api/clusters/explain, /api/clusters/report.md.
void RegisterClusterRoutes(Router& router, const RouteContext& context);
/// GET /api/clusters/{id}/lineage, /api/clusters/lineage.
void RegisterClusterLineageRoutes(Router& router, const RouteContext& context);
/// GET /api/cluster-runs, /api/cluster-runs/{id}, /api/cluster-runs/{a}/diff/{b}.
void RegisterClusterRunRoutes(Router& router, const RouteContext& context);
/// POST /api/clusters/{id}/{action} and /api/clusters/undo/{override}.
void RegisterClusterOverrideRoutes(Router& router, const RouteContext& context);
/// POST and GET /api/cluster-jobs, GET and DELETE /api/cluster-jobs/{id}.
void RegisterClusterJobRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
