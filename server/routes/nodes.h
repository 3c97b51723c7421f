#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/nodes, /api/nodes/search and /api/nodes/{pubkey}. REQUIRED: as RegisterRoutes.
void RegisterNodeRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
