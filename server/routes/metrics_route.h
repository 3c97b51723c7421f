#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /metrics, which answers also while the database is not ready. REQUIRED: as RegisterRoutes.
void RegisterMetricsRoute(Router& router, const RouteContext& context);

}  // namespace heliograph::server
