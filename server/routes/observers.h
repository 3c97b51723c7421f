#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/observers and /api/observers/{id}. REQUIRED: as RegisterRoutes.
void RegisterObserverRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
