#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// POST /api/admin/prune-geo-filter and GET /api/admin/prune-geo-filter/status. REQUIRED: as RegisterRoutes.
void RegisterPruneRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
