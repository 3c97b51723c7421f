#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/analytics/neighbor-graph, GET /api/nodes/{pubkey}/neighbors.
void RegisterNeighborRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
