#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/stats and /api/mqtt/status. REQUIRED: as RegisterRoutes.
void RegisterStatsRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
